import { html, raw } from 'hono/html';
import type { Format, Tier } from '../protocol/request.ts';

/** A photograph and its variants. */
export interface DemoPhoto {
  title: string;
  /** URL of the original. */
  src: string;
  /** Bytes of the original. */
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

/** Renders the page at `/` of the demo: each original beside its variants, with their sizes. */
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
<p>The first image of each row is the original. The others were compressed on the first request, and come from the store since then:
<code>/u/{unit}?src={URL}&amp;w={px}&amp;q={tier}&amp;f={format}</code></p>
${shown.map(renderPhoto)}
</body>
</html>`;
}

function renderPhoto({ title, src, bytes, variants }: DemoPhoto) {
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

/** Formats a size in kB of 1,000 bytes. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
