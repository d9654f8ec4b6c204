import type { Metadata } from 'sharp';
import { isSrgbProfile } from '../decode/colours/srgb-profile.ts';
import { stripGif, stripJpeg, stripPng, stripWebp } from '../decode/containers/strip-metadata.ts';
import type { ImageType } from '../decode/image-type.ts';
import type { InspectedSource } from '../decode/inspect.ts';
import type { Size } from '../decode/size.ts';
import type { Format } from '../protocol/request.ts';
import { isPhoneAvif } from './avif-container.ts';
import { DISPLAYABLE_ENCODINGS, type Encoding } from './encodings.ts';

/** The bytes of a source without its metadata, fit to be sent in place of a variant. */
export interface ServableOriginal extends Size {
  encoding: Encoding;
  body: Uint8Array<ArrayBuffer>;
  /** Whether its type has transparency and it uses it, as far as the header says. */
  hasAlpha: boolean;
}

/**
 * An original may be sent at more pixels than were asked for while its bytes win, up to the larger of two bounds: as many pixels as a
 * client must be ready to decode anyway (the top rung of the ladder, 2048 × 2048: 16 MiB decoded, a third of a phone's own photograph), and
 * four times those that were asked for (a line of two pixels for each one).
 */
const MAX_ORIGINAL_PIXELS = 2048 * 2048;
const MAX_TIMES_ASKED = 4;

/**
 * Whether an original is small enough to be sent in place of a variant of this size.
 *
 * @param original - of one frame, in pixels
 */
export function isNearSize(original: Size, asked: Size): boolean {
  const pixels = original.width * original.height;
  return pixels <= Math.max(MAX_ORIGINAL_PIXELS, MAX_TIMES_ASKED * asked.width * asked.height);
}

/**
 * Returns a copy of a source that clients display exactly as its variants look, and that has nothing in it but the image: no metadata.
 * If there was nothing to strip, the copy equals the source.
 *
 * @returns `undefined` if the source is rotated by metadata, not in sRGB, deeper than clients show, or of a type that cannot be stripped
 */
export function servableOriginal(source: InspectedSource): ServableOriginal | undefined {
  const { bytes, type, metadata, colours, facts } = source;
  if (!isStrippable(type) || colours || !isPlain(metadata)) return undefined;
  const body = STRIP[type](bytes, metadata);
  const { width, height } = facts;
  return body && { encoding: type, body, width, height, hasAlpha: metadata.hasAlpha === true };
}

/** By the types of originals that are encodings of variants, too. */
const STRIP: Readonly<
  Record<ImageType & Encoding, (bytes: Uint8Array, metadata: Metadata) => Uint8Array<ArrayBuffer> | undefined>
> = {
  jpeg: stripJpeg,
  png: stripPng,
  gif: stripGif,
  webp: stripWebp,
  // AVIF boxes refer to each other by offset, so none can be left out: the file is servable as it is or not at all.
  avif: (bytes, { exif, xmp, icc }) =>
    exif || xmp || icc || !isPhoneAvif(bytes) ? undefined : Uint8Array.from(bytes),
};

function isStrippable(type: ImageType): type is ImageType & Encoding {
  return type in STRIP;
}

/** libvips' names of RGB and grey, with 8 and 16 bits. */
const SRGB_SPACES = ['srgb', 'b-w', 'rgb16', 'grey16'];

/** Whether the pixels are shown as they are stored: upright, 8 bits (or 16 in PNG), sRGB or grey. */
function isPlain({ orientation, space, depth, icc, format, pages }: Metadata): boolean {
  const isUpright = orientation === undefined || orientation === 1;
  const isInSrgb = icc === undefined || isSrgbProfile(icc);
  if (format === 'heif') return isUpright && isInSrgb && (pages ?? 1) === 1;
  // Decoders of PNG drop what lies below 8 bits; no variant has more either.
  const isShown = depth === 'uchar' || (format === 'png' && depth === 'ushort');
  return isUpright && isInSrgb && isShown && SRGB_SPACES.includes(space ?? '');
}

/** The result of encoding one variant, or a servable original in place of it. */
export interface EncodedBody extends Size {
  encoding: Encoding;
  body: Uint8Array<ArrayBuffer>;
  /** SSIMULACRA2 against the source; `undefined` if it was not measured. */
  score: number | undefined;
  /** Whether it is the servable original. */
  isOriginal: boolean;
}

/** Returns the servable original if a client of this format displays its encoding. */
export function originalInFormat(
  servable: ServableOriginal | undefined,
  format: Format,
): EncodedBody | undefined {
  if (!servable || !DISPLAYABLE_ENCODINGS[format].includes(servable.encoding)) return undefined;
  const { encoding, body, width, height } = servable;
  return { encoding, body, width, height, score: 100, isOriginal: true };
}

/** Returns the smaller of two; the second, usually the original, if they are equally large. */
export function smallerOf(encoded: EncodedBody, other: EncodedBody | undefined): EncodedBody {
  return other && other.body.byteLength <= encoded.body.byteLength ? other : encoded;
}
