import type { OutputInfo, Sharp } from 'sharp';
import { DECODE_TIMEOUT_SECONDS } from '../decode/decode-errors.ts';
import { evenSize, type Size } from '../decode/size.ts';
import type { Format } from '../protocol/request.ts';
import { finishAvif } from './avif-container.ts';

/** The encodings of variants, by the subtype of their content type. */
export type Encoding = 'avif' | 'webp' | 'jpeg' | 'png' | 'gif';

/** Returns the content type of an encoding. */
export function contentTypeOf(encoding: Encoding): string {
  return `image/${encoding}`;
}

export type Chroma = '4:2:0' | '4:4:4';

/** The CPU time of aom by effort, in seconds a megapixel: 0.05, 0.16, 0.25, 0.5, 2. */
export type AvifEffort = 0 | 1 | 2 | 3 | 4;

/**
 * What mozjpeg does: 0 nothing, 1 its trellis (12% fewer bytes for four times the time), 2 also a search for the smallest split into
 * progressive scans (1% fewer bytes for 30% more time).
 */
export type JpegEffort = 0 | 1 | 2;

/** The settings that a still is encoded with. Together with its pixels they determine the bytes. */
export type EncoderSettings =
  | {
      encoding: 'avif';
      quality: number;
      effort: AvifEffort;
      /** Whether its pixels are corrected for halved chroma first; see `correctLuma`. */
      sharpChroma: boolean;
      soften?: number;
    }
  | {
      encoding: 'webp';
      quality: number;
      effort: 2 | 5 | 6;
      sharpChroma: boolean;
      preset: 'default' | 'picture';
    }
  | { encoding: 'webp'; nearLossless: number }
  | PaletteSettings
  | {
      encoding: 'jpeg';
      quality: number;
      chroma: Chroma;
      table: JpegTable;
      effort: JpegEffort;
    }
  | { encoding: 'png'; palette: 'none' };

/** Settings that are lossless for pixels of a palette's colours. */
export interface PaletteSettings {
  encoding: 'webp' | 'png';
  palette: PaletteSize;
}

/** The number of colours of a palette: the sizes that libvips makes. */
export type PaletteSize = 16 | 256;

/** Quantisation tables of mozjpeg, by their index: its default by N. Robidoux, and one by Klein, Silverstein and Carney. */
const JPEG_TABLES = { robidoux: 3, klein: 5 } as const;
export type JpegTable = keyof typeof JPEG_TABLES;

/** The largest width and height of a variant, in pixels, by the requested format: the limit of any encoding that it may get. */
export const MAX_SIDE: Readonly<Record<Format, number>> = { avif: 16_383, webp: 16_383, jpeg: 65_500 };

/**
 * Returns the size of a still of a format: in `avif`, both sides are even. Android's AV1 decoder is declared for these only, and decoders
 * have shown odd ones with a green line.
 *
 * @param size - the size of the still in formats of any size
 */
export function variantSize(size: Size, format: Format): Size {
  return format === 'avif' ? evenSize(size) : size;
}

/** The encodings that a client displays, by the format that it requests. */
export const DISPLAYABLE_ENCODINGS: Readonly<Record<Format, readonly Encoding[]>> = {
  avif: ['avif', 'webp', 'jpeg', 'png', 'gif'],
  webp: ['webp', 'jpeg', 'png', 'gif'],
  jpeg: ['jpeg', 'png', 'gif'],
};

/** Returns the encoding of an animation: WebP if the client displays it, else GIF. */
export function animatedEncoding(format: Format): 'webp' | 'gif' {
  return format === 'jpeg' ? 'gif' : 'webp';
}

/**
 * Returns a pipeline that encodes a still. JPEG and PNG, the encodings of format `jpeg`, are flattened on white. For settings with a
 * palette, the pixels are to have its colours only; see `reduceColours`.
 */
export function toEncoding(image: Sharp, settings: EncoderSettings): Sharp {
  switch (settings.encoding) {
    case 'avif': {
      const { quality, effort, soften: weight } = settings;
      // AV1 Main profile: phones decode nothing else; see `isPhoneKind`.
      const kind = { chromaSubsampling: '4:2:0', bitdepth: 8 } as const;
      return (weight ? soften(image, weight) : image).avif({ quality, effort, ...kind });
    }
    case 'webp': {
      if ('palette' in settings) return toNearLosslessWebp(image, 100);
      if ('nearLossless' in settings) return toNearLosslessWebp(image, settings.nearLossless);
      const { quality, effort, sharpChroma, preset } = settings;
      return image.webp({ quality, effort, preset, smartSubsample: sharpChroma });
    }
    case 'jpeg': {
      const { quality, chroma, table, effort } = settings;
      return flattenOnWhite(image).jpeg({
        quality,
        trellisQuantisation: effort > 0,
        overshootDeringing: effort > 0,
        progressive: effort > 0,
        optimiseScans: effort > 1,
        quantisationTable: JPEG_TABLES[table],
        chromaSubsampling: chroma,
      });
    }
    case 'png':
      return settings.palette === 'none'
        ? flattenOnWhite(image).png({ compressionLevel: 9, adaptiveFiltering: true })
        : flattenOnWhite(image).png({
            palette: true,
            colours: settings.palette,
            dither: 0,
            effort: 7,
            compressionLevel: 9,
          });
  }
}

/**
 * Runs a pipeline that ends with an encoder, and completes the container of its file.
 *
 * @throws Error sharp's, for a damaged source or after {@link DECODE_TIMEOUT_SECONDS}
 */
export async function runEncoder(
  pipeline: Sharp,
  encoding: Encoding,
): Promise<{ body: Uint8Array<ArrayBuffer>; info: OutputInfo }> {
  const { data, info } = await pipeline
    .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
    .toBuffer({ resolveWithObject: true });
  return { body: encoding === 'avif' ? finishAvif(data) : (data as Buffer<ArrayBuffer>), info };
}

/** Mixes each pixel with its neighbours. A weight of 0.03 changes hardly any pixel by more than one or two levels. */
function soften(image: Sharp, weight: number): Sharp {
  const row = [weight ** 2, weight, weight ** 2];
  const kernel = [...row, weight, 1, weight, ...row];
  return image.convolve({ width: 3, height: 3, kernel, scale: (1 + 2 * weight) ** 2 });
}

/** Flattens transparency on white. JPEG has none, and a PNG is sent only in place of a JPEG. */
export function flattenOnWhite(image: Sharp): Sharp {
  return image.flatten({ background: '#ffffff' });
}

/** @param level - 100 is lossless; a lower level rounds colours where it is not visible */
function toNearLosslessWebp(image: Sharp, level: number): Sharp {
  return level === 100
    ? image.webp({ lossless: true, effort: 4 })
    : image.webp({ nearLossless: true, quality: level, effort: 4 });
}

/** Returns a pipeline that encodes an animation. All of its frames get the same quality, which GIF does not have. */
export function toAnimated(image: Sharp, encoding: 'webp' | 'gif', quality: number | 'lossless'): Sharp {
  // GIF effort 3 gives the same bytes as sharp's default of 7 in half the time: a long animation takes tens of seconds.
  if (encoding === 'gif') return image.gif({ effort: 3 });
  return image.webp(quality === 'lossless' ? { lossless: true, effort: 4 } : { quality, effort: 4 });
}
