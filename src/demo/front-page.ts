import { html, raw } from 'hono/html';
import type { Format, Tier } from '../protocol/request.ts';

/** One photograph and what became of it. */
export interface DemoPhoto {
  title: string;
  /** Of the original. */
  src: string;
  bytes: number;
  variants: readonly { format: Format; tier: Tier; path: string; bytes: number }[];
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
  section { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); }
  figure { margin: 0; }
  img { display: block; height: auto; max-width: 100%; }
  figcaption { font-size: 0.875rem; }
  code { overflow-wrap: anywhere; }
`;

/** The page at `/` of the demonstration: an original and its variants, side by side, with what each weighs. */
export function renderFrontPage(shown: readonly DemoPhoto[], originUrl: string) {
  const policy = `default-src 'none'; img-src 'self' data: ${originUrl}; style-src 'unsafe-inline'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>edgepress</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<h1>edgepress</h1>
<p>Each picture but the first of a row was compressed when it was first asked for, and comes from the store ever since:
<code>/u/{unit}?src={URL}&amp;w={px}&amp;q={tier}&amp;f={format}</code></p>
${shown.map(renderPhotograph)}
</body>
</html>`;
}

function renderPhotograph({ title, src, bytes, variants }: DemoPhoto) {
  return html`<h2>${title}</h2>
<section>
<figure><img src="${src}" alt="${title}, the original"><figcaption>original: ${kilobytes(bytes)}</figcaption></figure>
${variants.map(
  (
    variant,
  ) => html`<figure><a href="${variant.path}"><img src="${variant.path}" alt="${title}, ${variant.format}"></a>
<figcaption>${variant.format}, ${variant.tier}: ${kilobytes(variant.bytes)},
${Math.round((100 * variant.bytes) / bytes)}% of the original</figcaption></figure>`,
)}
</section>`;
}

export function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
