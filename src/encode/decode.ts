import sharp, { type Sharp } from 'sharp';
import { DECODE_TIMEOUT_SECONDS, decodeFailure } from './decode-failure.ts';
import { MAX_SIDE } from './encodings.ts';
import { decodeHevc, wrapInTiff } from './hevc.ts';
import type { ImageType } from './image-type.ts';
import type { InspectedSource } from './inspect.ts';
import { type Size, scaled, scaleInside } from './pixels.ts';

/** What variants are made from. */
export interface Picture {
  /** A pipeline of its own, which begins with the upright pixels. */
  open(): Promise<Sharp>;
  /** Whether each pipeline decodes the source: then it costs what that costs, and damage shows only at its end. */
  decodesEachTime: boolean;
}

/** What is taller than any encoding can be is not kept as tall. */
const TALLEST = Math.max(...Object.values(MAX_SIDE));

/** 2048 × 8192 pixels with transparency. Beyond that, a few that wait for an encoder would fill the memory. */
const MAX_KEPT_BYTES = 64 * 2 ** 20;
const MOST_CHANNELS = 4;

/** Screens of phones have fewer. */
const MAX_WHOLE_PIXELS = 5_000_000;
/** What a decoder can shrink as it reads, at a fraction of the cost. */
const SHRINK_ON_LOAD: readonly ImageType[] = ['jpeg', 'webp'];

/**
 * The size in which the pixels of a source are kept for variants up to a width; `undefined`: they are not.
 *
 * Mostly that of the widest variant. Photographs lose nothing when they are resized twice. Drawings and screens may, two points
 * of SSIMULACRA2, so that what can be one is kept whole while it is small: each variant then costs some 10 ms more.
 */
export function keptSize({ type, facts, frames }: InspectedSource, maxWidth: number): Size | undefined {
  if (frames > 1) return undefined;
  if (facts.width * facts.height <= MAX_WHOLE_PIXELS && !SHRINK_ON_LOAD.includes(type)) return facts;
  const size = scaled(facts, scaleInside(facts, { width: maxWidth, height: TALLEST }));
  return size.width * size.height * MOST_CHANNELS <= MAX_KEPT_BYTES ? size : undefined;
}

/**
 * Decodes a still, upright and in sRGB, to pixels of a size.
 *
 * @throws EdgepressError `source_corrupt`, or `overloaded` when it takes too long
 */
export async function decodePicture(
  bytes: Uint8Array,
  source: InspectedSource,
  size: Size,
  maxPixels: number,
): Promise<Picture> {
  const image = await openSource(bytes, source, maxPixels);
  const { data, info } = await image
    .resize({ width: size.width, height: size.height, fit: 'fill' })
    .toColourspace('srgb')
    .raw()
    .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: Error) => {
      throw decodeFailure(source.type, cause);
    });
  const { width, height, channels } = info;
  return keep(data, { width, height, channels });
}

/** Apart from where the source is at hand: a function keeps alive whatever others beside it use. */
function keep(data: Buffer, raw: Size & { channels: 1 | 2 | 3 | 4 }): Picture {
  return { open: async () => sharp(data, { raw }), decodesEachTime: false };
}

/**
 * Leaves a source as it is, to be decoded for each variant: what suits an animation, whose frames would take hundreds of
 * megabytes and lose their delays as pixels, and a still that is too long to be kept.
 */
export function undecodedPicture(bytes: Uint8Array, source: InspectedSource, maxPixels: number): Picture {
  return { open: () => openSource(bytes, source, maxPixels), decodesEachTime: true };
}

async function openSource(bytes: Uint8Array, source: InspectedSource, maxPixels: number): Promise<Sharp> {
  const limits = { limitInputPixels: maxPixels, failOn: 'warning' } as const;
  if (source.type !== 'hevc') {
    const frames = source.frames > 1 ? { animated: true } : { page: source.page };
    const image = sharp(bytes, { ...limits, ...frames }).autoOrient();
    // sharp works in Display P3 on deep colours with a profile, and leaves them there unless it is told where to take them.
    return source.isDeepRgb && source.iccProfile ? image.withIccProfile('srgb', { attach: false }) : image;
  }
  const { data, width, height, hasAlpha } = await decodeHevc(bytes);
  const pixels = source.iccProfile
    ? sharp(wrapInTiff({ data, width, height }, source.iccProfile), limits)
    : sharp(data, { ...limits, raw: { width, height, channels: 4 } });
  return hasAlpha ? pixels : pixels.removeAlpha();
}
