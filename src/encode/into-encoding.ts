import type { Sharp } from 'sharp';
import type { Format, Tier } from '../variant/request.ts';
import { AVIF_CHROMA, type Encoding, FAST_QUALITY } from './quality.ts';

/** The most that each encoding can measure in either direction, in pixels. */
export const MAX_SIDE: Readonly<Record<Encoding, number>> = {
  avif: 16_384,
  webp: 16_383,
  jpeg: 65_500,
  gif: 65_535,
};

/** An animation stays one: WebP where the client takes it, else GIF. */
export function encodingFor(format: Format, frames: number): Encoding {
  if (frames === 1) return format;
  return format === 'jpeg' ? 'gif' : 'webp';
}

export function intoEncoding(encoding: Encoding, image: Sharp, tier: Tier): Sharp {
  switch (encoding) {
    case 'avif':
      return image.avif({
        quality: FAST_QUALITY.avif[tier],
        effort: 0,
        chromaSubsampling: AVIF_CHROMA[tier],
      });
    case 'webp':
      return image.webp({ quality: FAST_QUALITY.webp[tier], effort: 4 });
    case 'jpeg':
      return image
        .flatten({ background: '#ffffff' })
        .jpeg({ quality: FAST_QUALITY.jpeg[tier], mozjpeg: true });
    case 'gif':
      // The same bytes as sharp's own effort of 7, in half the time: a long animation takes tens of seconds.
      return image.gif({ effort: 3 });
  }
}
