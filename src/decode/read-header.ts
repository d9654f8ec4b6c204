import sharp, { type Metadata } from 'sharp';
import { EdgepressError } from '../protocol/error.ts';
import { readBmpHeader } from './containers/bmp-header.ts';
import {
  isAvifSequence,
  isOtherSequence,
  readPrimarySize,
  readSequenceHeader,
} from './containers/heif-header.ts';
import { missingPart } from './containers/heif-items.ts';
import { readIconHeader } from './containers/ico.ts';
import { readSize } from './containers/image-headers.ts';
import { asBuffer } from './containers/isobmff.ts';
import { isWholePsd } from './containers/psd-header.ts';
import { tiffReader } from './containers/tiff-directory.ts';
import { isOutOfMemory, memoryError } from './decode-errors.ts';
import { readApngHeader } from './decoders/apng.ts';
import { readPdfSize } from './decoders/pdf.ts';
import { type Decoder, IMAGE_TYPES, type ImageType } from './image-type.ts';
import { TIFF_TAG } from './repair/tiff-entries.ts';
import type { Size } from './size.ts';
import { unsupportedError, unsupportedKindError } from './unsupported-kind.ts';

/** What the header of a file says. Sizes, delays and repetitions are in `metadata` whichever decoder reads the file. */
export interface SourceHeader {
  /** As the contents say: a HEIF file may have another codec than its brands name. */
  type: ImageType;
  decoder: Decoder;
  metadata: Metadata;
}

type ReadHeader = (bytes: Uint8Array, type: ImageType) => Promise<SourceHeader>;

const READERS: Readonly<Record<ImageType, ReadHeader>> = {
  jpeg: readWithSharp,
  png: readPng,
  apng: readPng,
  gif: readWithSharp,
  webp: readWithSharp,
  tiff: readTiff,
  avif: readHeif,
  avis: readHeif,
  hevc: readHeif,
  bmp: readBmp,
  ico: readBmp,
  jxl: readSizeOnly,
  jp2: readSizeOnly,
  psd: readPsd,
  pdf: readPdf,
};

/**
 * Reads the header of a file, without decoding pixels.
 *
 * @throws EdgepressError `source_corrupt`, or `source_not_image` for a kind of file within its type that is not supported
 */
export function readHeader(bytes: Uint8Array, type: ImageType): Promise<SourceHeader> {
  return READERS[type](bytes, type);
}

function headerOf(type: ImageType, metadata: Metadata): SourceHeader {
  return { type, decoder: IMAGE_TYPES[type].decoder, metadata };
}

async function readWithSharp(bytes: Uint8Array, type: ImageType): Promise<SourceHeader> {
  try {
    return headerOf(type, await sharp(bytes, { limitInputPixels: false }).metadata());
  } catch (cause) {
    throw unsupportedError(bytes, type) ?? damagedHeader(type, cause);
  }
}

/** A PNG is a still for decoders that do not know its animation. */
async function readPng(bytes: Uint8Array, type: ImageType): Promise<SourceHeader> {
  const header = await readWithSharp(bytes, type);
  const animation = readApngHeader(asBuffer(bytes));
  if (!animation) return header;
  const { delay, loop } = animation;
  return headerOf('apng', { ...header.metadata, pages: delay.length, delay, loop });
}

/** Values of PhotometricInterpretation and Compression (TIFF 6.0). */
const YCBCR = 6;
const JPEG_COMPRESSIONS = [6, 7];

/** libvips takes the samples of YCbCr for RGB, unless they are compressed as JPEG. */
async function readTiff(bytes: Uint8Array, type: ImageType): Promise<SourceHeader> {
  const header = await readWithSharp(bytes, type);
  const directory = tiffReader(asBuffer(bytes)).readFirst();
  const isYcbcr = directory.get(TIFF_TAG.PHOTOMETRIC)?.[0] === YCBCR;
  const isJpeg = JPEG_COMPRESSIONS.includes(directory.get(TIFF_TAG.COMPRESSION)?.[0] ?? 0);
  return isYcbcr && !isJpeg ? { ...header, decoder: 'magick' } : header;
}

async function readHeif(bytes: Uint8Array, type: ImageType): Promise<SourceHeader> {
  const file = asBuffer(bytes);
  if (isAvifSequence(file)) {
    const sequence = readOrNothing(() => readSequenceHeader(file));
    if (!sequence || sequence.delay.length === 0) throw damagedHeader('avis', undefined);
    const { width, height, delay, loop } = sequence;
    return headerOf('avis', { ...plainMetadata({ width, height }), pages: delay.length, delay, loop });
  }
  assertWholeHeif(file, type);
  try {
    const header = await readWithSharp(bytes, type);
    return headerOf(codecOf(header.metadata), header.metadata);
  } catch (cause) {
    if (isOtherSequence(file))
      throw new EdgepressError(
        'source_not_image',
        'The source is a HEIF image sequence, which is supported with AV1 only',
      );
    const size = readOrNothing(() => readPrimarySize(file));
    const isRefused = cause instanceof EdgepressError && isLimitOfLibheif(cause.cause);
    if (!size || !isRefused) throw cause;
    return { type, decoder: 'magick', metadata: plainMetadata(size) };
  }
}

function assertWholeHeif(file: Buffer, type: ImageType): void {
  const missing = readOrNothing(() => missingPart(file) ?? 'nothing') ?? 'a box is cut off';
  if (missing !== 'nothing')
    throw new EdgepressError('source_corrupt', `The ${type} image is truncated or damaged: ${missing}`);
}

/** sharp's libheif refuses what would be a sign of an attack in a browser. ImageMagick's accepts a thousand items. */
function isLimitOfLibheif(cause: unknown): boolean {
  return cause instanceof Error && cause.message.includes('Security limit exceeded');
}

/** Returns the type by the codec of a HEIF file: its brands may name another one. */
function codecOf({ compression }: Metadata): ImageType {
  if (compression === 'av1') return 'avif';
  if (compression === 'hevc') return 'hevc';
  throw new EdgepressError(
    'source_not_image',
    `The source is HEIF with an unsupported codec (${compression})`,
  );
}

async function readSizeOnly(bytes: Uint8Array, type: ImageType): Promise<SourceHeader> {
  const size = readSize(bytes, type);
  if (!size) throw damagedHeader(type, undefined);
  const unsupported = unsupportedError(bytes, type);
  if (unsupported) throw unsupported;
  return headerOf(type, { ...plainMetadata(size), orientation: size.orientation });
}

async function readBmp(bytes: Uint8Array, type: ImageType): Promise<SourceHeader> {
  const file = asBuffer(bytes);
  const header = readOrNothing(() => (type === 'ico' ? readIconHeader(file) : readBmpHeader(file)));
  if (!header) throw damagedHeader(type, undefined);
  const { unsupported, iccProfile } = header;
  if (unsupported) throw unsupportedKindError(`${type === 'ico' ? 'an icon' : 'a BMP'} with ${unsupported}`);
  return headerOf(type, { ...plainMetadata(header), ...(iccProfile && { icc: iccProfile }) });
}

async function readPsd(bytes: Uint8Array, type: ImageType): Promise<SourceHeader> {
  const header = await readSizeOnly(bytes, type);
  if (!readOrNothing(() => isWholePsd(asBuffer(bytes))))
    throw new EdgepressError('source_corrupt', 'The psd image is truncated');
  return header;
}

async function readPdf(bytes: Uint8Array): Promise<SourceHeader> {
  return headerOf('pdf', plainMetadata(await readPdfSize(bytes)));
}

/** The metadata of upright 8-bit pixels in sRGB, as the decoders other than sharp give them. */
function plainMetadata({ width, height }: Size): Metadata {
  return {
    format: 'raw',
    width,
    height,
    autoOrient: { width, height },
    space: 'srgb',
    channels: 4,
    depth: 'uchar',
    density: 72,
    chromaSubsampling: '',
    isProgressive: false,
    isPalette: false,
    hasProfile: false,
    hasAlpha: true,
  } as Metadata;
}

function damagedHeader(type: ImageType, cause: unknown): EdgepressError {
  if (isOutOfMemory(cause)) return memoryError(type, cause);
  return new EdgepressError('source_corrupt', `The header of the ${type} image is damaged`, { cause });
}

/** Returns what a reader returns; `undefined` if the file ends where it wants to read. */
function readOrNothing<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
