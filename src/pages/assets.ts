import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

// Style and scripts of the pages. They are inlined, so that a page is one request; the policy of the page names their hashes.

/** A style or a script that a page contains. */
export interface Asset {
  text: string;
  /** Its hash as a source of `Content-Security-Policy`. */
  hash: string;
}

/**
 * Reads a file beside this one, where the build copies it, too.
 *
 * @throws Error for text that would end the element it is in
 */
function readAsset(file: string): Asset {
  const text = readFileSync(new URL(`./${file}`, import.meta.url), 'utf8');
  if (/<\/(?:script|style)|<!--/i.test(text)) throw new Error(`${file} would end the element it is in`);
  return { text, hash: `'sha256-${createHash('sha256').update(text).digest('base64')}'` };
}

/** The style of all pages. */
export const STYLE = readAsset('pages.css');

/** The browser scripts by name; the files are `{name}.browser.mjs`. */
export const SCRIPTS = {
  copy: readAsset('copy.browser.mjs'),
  compare: readAsset('compare.browser.mjs'),
  playground: readAsset('playground.browser.mjs'),
  units: readAsset('units.browser.mjs'),
  zoom: readAsset('zoom.browser.mjs'),
};
