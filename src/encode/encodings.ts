import type { Sharp } from 'sharp';
import type { Format } from '../protocol/request.ts';

/** The encodings that a variant can come back in. */
export type Encoding = 'avif' | 'webp' | 'jpeg' | 'png' | 'gif';

export type Chroma = '4:2:0' | '4:4:4';

/** How a still is encoded: all that its bytes depend on besides its pixels. */
export type Setting =
  | { encoding: 'avif'; quality: number; effort: 0 | 3; chroma: Chroma; bits: 8 | 10; soften?: number }
  | {
      encoding: 'webp';
      quality: number;
      effort: 2 | 5 | 6;
      sharpChroma: boolean;
      preset: 'default' | 'picture';
    }
  | { encoding: 'webp'; nearLossless: number }
  | { encoding: 'jpeg'; quality: number; chroma: Chroma; table: JpegTable }
  | { encoding: 'png'; colours: 'all' | 'palette' };

/** Tables of mozjpeg: its default by N. Robidoux, and one by Klein, Silverstein and Carney. */
const JPEG_TABLES = { robidoux: 3, klein: 5 } as const;
export type JpegTable = keyof typeof JPEG_TABLES;

/** The most that what a client displays can measure in either direction, in pixels, whichever encoding it becomes. */
export const MAX_SIDE: Readonly<Record<Format, number>> = { avif: 16_383, webp: 16_383, jpeg: 65_500 };

/** What a client displays, by the format that it names. */
export const REACH: Readonly<Record<Format, readonly Encoding[]>> = {
  avif: ['avif', 'webp', 'jpeg', 'png', 'gif'],
  webp: ['webp', 'jpeg', 'png', 'gif'],
  jpeg: ['jpeg', 'png', 'gif'],
};

/** An animation stays one: WebP where the client takes it, else GIF. */
export function animatedEncoding(format: Format): 'webp' | 'gif' {
  return format === 'jpeg' ? 'gif' : 'webp';
}

export function toEncoding(image: Sharp, setting: Setting): Sharp {
  switch (setting.encoding) {
    case 'avif': {
      const { quality, effort, chroma, bits, soften } = setting;
      return (soften ? softened(image, soften) : image).avif({
        quality,
        effort,
        chromaSubsampling: chroma,
        bitdepth: bits,
      });
    }
    case 'webp': {
      if ('nearLossless' in setting) return intoNearLossless(image, setting.nearLossless);
      const { quality, effort, sharpChroma, preset } = setting;
      return image.webp({ quality, effort, preset, smartSubsample: sharpChroma });
    }
    case 'jpeg': {
      const { quality, chroma, table } = setting;
      return onWhite(image).jpeg({
        quality,
        mozjpeg: true,
        quantisationTable: JPEG_TABLES[table],
        chromaSubsampling: chroma,
      });
    }
    case 'png':
      return setting.colours === 'palette'
        ? onWhite(image).png({ palette: true, quality: 90, effort: 7, compressionLevel: 9 })
        : onWhite(image).png({ compressionLevel: 9, adaptiveFiltering: true });
  }
}

/** Each pixel takes in so much of its neighbours: a weight of 0.03 changes hardly any by more than a level or two. */
function softened(image: Sharp, weight: number): Sharp {
  const row = [weight ** 2, weight, weight ** 2];
  const kernel = [...row, weight, 1, weight, ...row];
  return image.convolve({ width: 3, height: 3, kernel, scale: (1 + 2 * weight) ** 2 });
}

/** JPEG has no transparency, and PNG is what becomes of a request for JPEG. */
function onWhite(image: Sharp): Sharp {
  return image.flatten({ background: '#ffffff' });
}

/** @param level - 100 is without any loss; below, colours are rounded where nobody sees it */
function intoNearLossless(image: Sharp, level: number): Sharp {
  return level === 100
    ? image.webp({ lossless: true, effort: 4 })
    : image.webp({ nearLossless: true, quality: level, effort: 4 });
}

/** An animation, all of its frames alike. */
export function toAnimated(image: Sharp, encoding: 'webp' | 'gif', quality: number): Sharp {
  // The same bytes as sharp's own effort of 7, in half the time: a long animation takes tens of seconds.
  return encoding === 'gif' ? image.gif({ effort: 3 }) : image.webp({ quality, effort: 4 });
}
