import type { Format } from '../protocol/request.ts';
import type { SigningKey } from '../protocol/signature.ts';
import { imageUrl } from './image-url.ts';
import { candidateWidths, type SrcsetParts, srcset } from './srcset.ts';

/** The parts of a `<picture>`. */
export interface PictureParts extends Omit<SrcsetParts, 'format'> {
  /** The formats of its `<source>`s, best first. Default: `['avif', 'webp']`. */
  formats?: readonly Format[] | undefined;
  /** The format of its `<img>`, for browsers that show none of the others. Default: `jpeg`. */
  fallback?: Format | undefined;
  /** How wide the image is in the layout, as in HTML. Default: `100vw`. */
  sizes?: string | undefined;
  /** Default: empty, for an image that says nothing. */
  alt?: string | undefined;
  /** The height of the original in pixels. With `sourceWidth`, browsers keep room for the image before it is there. */
  sourceHeight?: number | undefined;
}

/** The attributes of a `<picture>`, as they are in the DOM: not escaped. */
export interface Picture {
  sources: { type: string; srcset: string; sizes: string }[];
  img: { src: string; srcset: string; sizes: string; alt: string; width?: number; height?: number };
  /** The same as HTML, escaped. */
  html: string;
}

/**
 * Builds a `<picture>`: the browser takes the first format that it shows and the smallest width that is enough. Unlike an `<img>` whose
 * format is negotiated, it needs no cache to obey `Vary`.
 *
 * @param key - as in `imageUrl`
 * @throws what `srcset` throws
 */
export function picture(parts: PictureParts, key?: SigningKey | string): Picture {
  const { formats = ['avif', 'webp'], fallback = 'jpeg', sizes = '100vw', alt = '', ...rest } = parts;
  const { sourceHeight, ...common } = rest;
  const widest = candidateWidths(common).at(-1);
  const { widths, sourceWidth, ...single } = common;
  const sources = formats.map((format) => ({
    type: `image/${format}`,
    srcset: srcset({ ...common, format }, key),
    sizes,
  }));
  const img = {
    src: imageUrl({ ...single, width: widest, format: fallback }, key),
    srcset: srcset({ ...common, format: fallback }, key),
    sizes,
    ...(sourceWidth && sourceHeight ? { width: sourceWidth, height: sourceHeight } : {}),
    alt,
  };
  const tags = [...sources.map((source) => tag('source', source)), tag('img', img)];
  return { sources, img, html: `<picture>${tags.join('')}</picture>` };
}

function tag(name: string, attributes: Record<string, string | number>): string {
  const written = Object.entries(attributes).map(
    ([attribute, value]) => ` ${attribute}="${escapeHtml(value)}"`,
  );
  return `<${name}${written.join('')}>`;
}

function escapeHtml(value: string | number): string {
  return String(value).replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
}
