import type { Metadata } from 'sharp';
import type { Encoding } from './encodings.ts';
import type { ImageType } from './image-type.ts';
import { copyGif, copyJpeg, copyPng, copyWebp } from './strip-metadata.ts';

export interface ServableOriginal {
  encoding: Encoding;
  body: Uint8Array<ArrayBuffer>;
}

/**
 * A copy of a source that any client displays as its variants look, and that tells no more than they do: what is needed to show
 * it, and nothing else. Where there is nothing else, these are the source's own bytes.
 *
 * @returns `undefined` for what is turned, not in sRGB, or of a kind whose parts are not known here; and for what is deeper than it shows
 */
export function servableOriginal(
  bytes: Uint8Array,
  type: ImageType,
  metadata: Metadata,
): ServableOriginal | undefined {
  if (type === 'tiff' || type === 'hevc' || !isPlain(metadata)) return undefined;
  const body = COPIES[type](bytes, metadata);
  return body && { encoding: type, body };
}

const COPIES: Readonly<
  Record<Encoding, (bytes: Uint8Array, metadata: Metadata) => Uint8Array<ArrayBuffer> | undefined>
> = {
  jpeg: copyJpeg,
  png: copyPng,
  gif: copyGif,
  webp: copyWebp,
  // Its parts point at each other, so that none can be left out.
  avif: (bytes, { exif, xmp }) =>
    exif || xmp || !hasScreenColours(bytes) ? undefined : Uint8Array.from(bytes),
};

function isPlain({ orientation, space, depth, icc, format, pages }: Metadata): boolean {
  const isUpright = orientation === undefined || orientation === 1;
  const isInSrgb = icc === undefined || isSrgb(icc);
  if (format === 'heif') return isUpright && isInSrgb && (pages ?? 1) === 1;
  return isUpright && isInSrgb && depth === 'uchar' && (space === 'srgb' || space === 'b-w');
}

/** Going by its name, in Latin or in UTF-16: what it names sRGB may be left out. */
function isSrgb(iccProfile: Buffer): boolean {
  const text = iccProfile.toString('latin1');
  return text.includes('sRGB') || text.includes('s\0R\0G\0B');
}

/** Primaries and transfer of an AVIF, by the numbers of ITU-T H.273: BT.709 or unsaid; and sRGB, one like it, or unsaid. */
const PRIMARIES = [1, 2];
const TRANSFERS = [1, 2, 6, 13];

function hasScreenColours(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = file.indexOf('colrnclx', 0, 'latin1');
  if (at < 0) return true;
  return PRIMARIES.includes(file.readUInt16BE(at + 8)) && TRANSFERS.includes(file.readUInt16BE(at + 10));
}
