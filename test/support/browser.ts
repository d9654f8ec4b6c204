import { chromium, type Page } from 'playwright-core';
import { describe, inject, onTestFinished } from 'vitest';

/** What keeps the browser from looking for its maker's hosts, and lets it run as root. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** `describe` for tests of pages: where there is no browser they are skipped, and their name says why. */
export function describePage(name: string, tests: () => void): void {
  const browser = inject('chromium');
  if ('missing' in browser) describe.skip(`${name} — skipped, ${browser.missing}`, tests);
  else describe(name, tests);
}

/** An empty page in a browser that goes with the test. Only in tests within `describePage`. */
export async function openPage(): Promise<Page> {
  const browser = inject('chromium');
  if ('missing' in browser) throw new Error(`no browser: ${browser.missing}`);
  const opened = await chromium.launch({ executablePath: browser.path, args: FLAGS });
  onTestFinished(() => opened.close());
  return await opened.newPage();
}
