import type { Colours } from './colours.ts';
import { heifColours } from './heif-colours.ts';
import { pngColours } from './png-colours.ts';
import type { SourceHeader } from './read-header.ts';

/**
 * Returns what the decoded pixels of a file mean, where libvips does not know: it takes colours from ICC profiles only.
 *
 * @returns `undefined` if the pixels are sRGB, or those that the ICC profile describes
 */
export function readColours(
  bytes: Uint8Array,
  { type, decoder, metadata }: SourceHeader,
): Colours | undefined {
  switch (type) {
    case 'png':
    case 'apng':
      return pngColours(bytes, metadata.icc !== undefined);
    case 'avif':
    case 'avis':
    case 'hevc':
      return heifColours(bytes, decoder === 'sharp' ? 16 : 8);
    default:
      return undefined;
  }
}
