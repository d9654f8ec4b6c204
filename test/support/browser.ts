import { chromium, type Page } from 'playwright-core';
import { describe, onTestFinished } from 'vitest';
import { prepared } from './setup/prepared.ts';

const browser = await prepared('chromium');

/** Let the browser run as root, and keep it from contacting its vendor's hosts. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** `describe` for tests that need a browser. Without one the tests are skipped, and the name says why. */
export function describePage(name: string, tests: () => void): void {
  if ('missing' in browser) describe.skip(`${name} — skipped, ${browser.missing}`, tests);
  else describe(name, tests);
}

/** Opens an empty page in a browser that closes when the test ends. For tests within `describePage`. */
export async function openPage(): Promise<Page> {
  if ('missing' in browser) throw new Error(`no browser: ${browser.missing}`);
  const opened = await chromium.launch({ executablePath: browser.path, args: FLAGS });
  onTestFinished(() => opened.close());
  return await opened.newPage();
}
