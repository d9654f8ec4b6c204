import { EdgepressError } from '../protocol/error.ts';
import { asBuffer } from './containers/isobmff.ts';
import { JPEG, jpegSegments } from './containers/jpeg-segments.ts';
import { tiffReader } from './containers/tiff-directory.ts';
import type { ImageType } from './image-type.ts';

/** Markers of JPEG frames that libjpeg does not decode (ITU-T T.81, table B.1; ITU-T T.87 for JPEG-LS). */
const JPEG_FRAMES: Readonly<Record<number, string>> = {
  195: 'a lossless JPEG',
  197: 'a hierarchical JPEG',
  198: 'a hierarchical JPEG',
  199: 'a hierarchical JPEG',
  201: 'a JPEG with arithmetic coding',
  202: 'a JPEG with arithmetic coding',
  203: 'a lossless JPEG',
  205: 'a hierarchical JPEG',
  206: 'a hierarchical JPEG',
  207: 'a hierarchical JPEG',
  247: 'JPEG-LS',
};

/** Values of the tag Compression that libtiff has, but not the one in sharp (TIFF 6.0, Adobe's supplements, libtiff's registry). */
const TIFF_COMPRESSIONS: Readonly<Record<number, string>> = {
  6: 'old-style JPEG',
  33003: 'JPEG 2000',
  33005: 'JPEG 2000',
  34661: 'JBIG',
  34712: 'JPEG 2000',
  34713: 'Nikon NEF',
  34887: 'LERC',
  34925: 'LZMA',
  50000: 'Zstandard',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};
/** Values of the tag PhotometricInterpretation: whole numbers of the first two are decoded. */
const TIFF_COLOURS: Readonly<Record<number, string>> = { 8: 'CIE L*a*b*', 9: 'ICC L*a*b*', 10: 'ITU L*a*b*' };
const TAG = { COMPRESSION: 259, PHOTOMETRIC: 262 };

/** Returns the error for a file that a decoder rejected because it is of such a kind; `undefined` if that is not why. */
export function unsupportedError(bytes: Uint8Array, type: ImageType): EdgepressError | undefined {
  const kind = unsupportedKind(bytes, type);
  return kind === undefined ? undefined : unsupportedKindError(kind);
}

/** @param kind - what the file is, with an article */
export function unsupportedKindError(kind: string): EdgepressError {
  return new EdgepressError('source_not_image', `The source is ${kind}, which is not supported`);
}

/** Returns what a file is that is of a type which is decoded, but of a kind within it that is not; `undefined` if that is not known. */
function unsupportedKind(bytes: Uint8Array, type: ImageType): string | undefined {
  const file = asBuffer(bytes);
  if (type === 'jpeg') return jpegKind(file);
  return type === 'tiff' ? tiffKind(file) : undefined;
}

function tiffKind(file: Buffer): string | undefined {
  const directory = tiffReader(file).readFirst();
  const compression = TIFF_COMPRESSIONS[directory.get(TAG.COMPRESSION)?.[0] ?? 0];
  if (compression) return `a TIFF with ${compression} compression`;
  const colours = TIFF_COLOURS[directory.get(TAG.PHOTOMETRIC)?.[0] ?? 0];
  return colours && `a TIFF in ${colours}`;
}

function jpegKind(file: Buffer): string | undefined {
  for (const { marker } of jpegSegments(file, 'skip')) {
    if (marker === JPEG.SOS) return undefined;
    const kind = JPEG_FRAMES[marker];
    if (kind) return kind;
  }
  return undefined;
}
