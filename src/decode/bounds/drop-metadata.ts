// Leaves out of a file what its pixels do not need. Decoders read metadata before any limit of theirs holds: a few kilobytes of Exif, or of
// compressed texts, take seconds.

import { pngChunk, pngChunks, webpChunks } from '../containers/chunks.ts';
import { exifWithOrientation, readExifOrientation } from '../containers/exif-orientation.ts';
import { KeptParts } from '../containers/file-parts.ts';
import { metadataTypes } from '../containers/heif-items.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { isExif, orientationSegment } from '../containers/jpeg-orientation.ts';
import { JPEG, jpegSegments } from '../containers/jpeg-segments.ts';
import type { ImageType } from '../image-type.ts';

const UPRIGHT = 1;

const DROPS: Readonly<Partial<Record<ImageType, (file: Buffer) => Uint8Array>>> = {
  jpeg: dropFromJpeg,
  png: dropFromPng,
  webp: dropFromWebp,
  avif: dropFromHeif,
  hevc: dropFromHeif,
};

/**
 * Returns a file without Exif, XMP, texts, previews and other metadata, but with its orientation and colours. TIFF is not looked at:
 * `repairTiff` writes its directory anew.
 *
 * @returns the same bytes if there is nothing to leave out
 * @throws EdgepressError `source_too_large` for countless parts
 */
export function dropMetadata(bytes: Uint8Array, type: ImageType): Uint8Array {
  const file = asBuffer(bytes);
  const rest = DROPS[type]?.(file) ?? file;
  return rest === file ? bytes : rest;
}

const ICC_NAME = 'ICC_PROFILE\0';

/** Keeps JFIF, Adobe's segment and ICC profiles of the application segments before the first scan. Of several Exif, the first counts. */
function dropFromJpeg(file: Buffer): Uint8Array {
  const kept = new KeptParts(file);
  let orientation: number | undefined;
  let [at, isDropped] = [2, false];
  for (const { marker, start, end } of jpegSegments(file, 'skip')) {
    if (marker === JPEG.SOS || marker === JPEG.EOI) break;
    if (isExif(file, marker, start)) orientation ??= readExifOrientation(file.subarray(start + 4, end));
    if (!isMetadata(file, marker, start)) continue;
    isDropped = true;
    kept.add(at, start);
    at = end;
  }
  if (!isDropped) return file;
  kept.add(at, file.length);
  const turned =
    orientation === undefined || orientation === UPRIGHT ? [] : [orientationSegment(orientation)];
  return Buffer.concat([file.subarray(0, 2), ...turned, ...kept.parts()]);
}

function isMetadata(file: Buffer, marker: number, start: number): boolean {
  if (marker === JPEG.COM) return true;
  if (marker < JPEG.APP0 || marker > JPEG.APP15) return false;
  if (marker === JPEG.APP0 || marker === JPEG.APP14) return false;
  return marker !== JPEG.APP2 || file.toString('latin1', start + 4, start + 16) !== ICC_NAME;
}

/** Ancillary chunks that say what pixels mean, or belong to an animation. Critical ones have a capital letter first. */
const PNG_KEPT = [
  ...['tRNS', 'cHRM', 'gAMA', 'iCCP', 'sBIT', 'sRGB', 'cICP', 'mDCV', 'cLLI', 'bKGD', 'pHYs'],
  ...['acTL', 'fcTL', 'fdAT'],
];
/** The signature, and `IHDR` with its header and checksum. */
const PNG_HEADER_BYTES = 33;

function dropFromPng(file: Buffer): Uint8Array {
  const kept = new KeptParts(file);
  let orientation = UPRIGHT;
  let [at, isDropped] = [0, false];
  for (const { type, start, dataStart, dataEnd, end } of pngChunks(file)) {
    const isCritical = /^[A-Z]/.test(type);
    if (isCritical || PNG_KEPT.includes(type) || end > file.length) continue;
    if (type === 'eXIf') orientation = readExifOrientation(file.subarray(dataStart, dataEnd));
    isDropped = true;
    kept.add(at, start);
    at = end;
  }
  if (!isDropped) return file;
  kept.add(at, file.length);
  if (orientation === UPRIGHT) return kept.copy();
  const rest = Buffer.concat(kept.parts());
  const exif = pngChunk('eXIf', exifWithOrientation(orientation));
  return Buffer.concat([rest.subarray(0, PNG_HEADER_BYTES), exif, rest.subarray(PNG_HEADER_BYTES)]);
}

const WEBP_METADATA = ['EXIF', 'XMP '];
/** Flags of `VP8X`, the first byte of its data: Exif, XMP (WebP Container Specification, "Extended File Format"). */
const WEBP_FLAGS = { at: 20, exif: 0x08, xmp: 0x04 };

function dropFromWebp(file: Buffer): Uint8Array {
  const kept = new KeptParts(file);
  let orientation = UPRIGHT;
  let [at, isDropped] = [0, false];
  for (const { type, start, dataStart, dataEnd, end } of webpChunks(file)) {
    if (!WEBP_METADATA.includes(type) || end > file.length) continue;
    if (type === 'EXIF') orientation = readExifOrientation(file.subarray(dataStart, dataEnd));
    isDropped = true;
    kept.add(at, start);
    at = end;
  }
  if (!isDropped) return file;
  kept.add(at, file.length);
  const isTurned = orientation !== UPRIGHT;
  const rest = Buffer.concat([...kept.parts(), ...(isTurned ? [webpExif(orientation)] : [])]);
  rest.writeUInt32LE(rest.length - 8, 4);
  if (rest.toString('latin1', 12, 16) === 'VP8X') {
    const flags = (rest[WEBP_FLAGS.at] as number) & ~(WEBP_FLAGS.exif | WEBP_FLAGS.xmp);
    rest[WEBP_FLAGS.at] = flags | (isTurned ? WEBP_FLAGS.exif : 0);
  }
  return rest;
}

function webpExif(orientation: number): Buffer {
  const tiff = exifWithOrientation(orientation);
  const header = Buffer.from('EXIF\0\0\0\0', 'latin1');
  header.writeUInt32LE(tiff.length, 4);
  return Buffer.concat([header, tiff]);
}

/**
 * Gives the items of metadata another type, which decoders ignore: boxes refer to each other by offset, so none can be left out. Decoders turn
 * HEIF by its properties, not by Exif.
 */
function dropFromHeif(file: Buffer): Uint8Array {
  const places = metadataTypes(file);
  if (places.length === 0) return file;
  const copy = Buffer.from(file);
  for (const at of places) copy.write('skip', at, 'latin1');
  return copy;
}
