import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What a page does that it should not. */
export interface Watched {
  /** What the browser complains about, and answers that are no success. */
  errors: string[];
  /** Requests to another service. */
  foreign: string[];
}

/**
 * Watches a page from now on.
 *
 * @param url - of the service whose page it is
 */
export function watchPage(page: Page, url: string): Watched {
  const watched: Watched = { errors: [], foreign: [] };
  page.on('console', (message) => watched.errors.push(message.text()));
  page.on('pageerror', (error) => watched.errors.push(error.message));
  page.on('response', (response) => {
    if (response.status() >= 400) watched.errors.push(`${response.status()} ${response.url()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) {
      watched.foreign.push(request.url());
    }
  });
  return watched;
}

/** Returns what axe finds wrong with a page: the rule, and the element that breaks it. */
export async function faultsOf(page: Page): Promise<string[]> {
  // Not as a script element, which the policy of the page would refuse.
  await page.evaluate(axe.source);
  return await page.evaluate(
    "axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))",
  );
}
