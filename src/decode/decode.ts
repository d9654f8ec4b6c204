import sharp, { type Sharp } from 'sharp';
import { EdgepressError } from '../protocol/error.ts';
import type { Colours } from './colours/colours.ts';
import { convertToSrgb } from './colours/convert-to-srgb.ts';
import { asBuffer } from './containers/isobmff.ts';
import { DECODE_TIMEOUT_SECONDS, withDecodeErrors } from './decode-errors.ts';
import type { ImageType } from './image-type.ts';
import type { InspectedSource } from './inspect.ts';
import { openSource } from './open-source.ts';
import { checkJpegEnd } from './repair/check-jpeg-end.ts';
import { checkTiles } from './repair/check-tiles.ts';
import { repairRejected } from './repair/repair-file.ts';
import { type Size, scaled, scaleInside } from './size.ts';
import { unsupportedError } from './unsupported-kind.ts';

/** The upright sRGB pixels of a source, from which its variants are encoded. */
export interface PixelSource {
  /** Returns a new sharp pipeline that starts with these pixels. */
  open(): Promise<Sharp>;
  /** Whether each pipeline decodes the source again: it then costs time and memory, and damage shows only when the pipeline runs. */
  isStreamed: boolean;
  /** The pixels themselves, if they are in memory. */
  decoded?: RawPixels;
}

/** 8-bit pixels in sRGB. */
export interface RawPixels extends Size {
  data: Buffer;
  channels: 3 | 4;
}

/** 2048 × 8192 pixels with transparency. A few larger images that wait for a permit would exhaust the memory. */
const MAX_DECODED_BYTES = 64 * 2 ** 20;
const MAX_CHANNELS = 4;

/** Screenshots of phones have fewer. */
const MAX_FULL_SIZE_PIXELS = 5_000_000;
/** Types that a decoder can shrink as it reads, at a fraction of the cost. */
const SHRINK_ON_LOAD: readonly ImageType[] = ['jpeg', 'webp'];

/**
 * Returns the size at which to keep the decoded pixels of a source for variants up to a width; `undefined` if they are too large to keep
 * or the source is animated.
 *
 * Usually that is the size of the widest variant. Photographs lose nothing when they are resized twice. Drawings and screenshots may lose
 * two points of SSIMULACRA2, so types that can hold them are kept at full size while they are small: each variant then costs some
 * 10 ms more.
 *
 * @param bounds - the width of the widest variant, and the largest height of any
 */
export function decodedSize(source: InspectedSource, bounds: Size): Size | undefined {
  const { facts, frames } = source;
  if (frames > 1) return undefined;
  if (isKeptAtFullSize(source)) return facts;
  const size = scaled(facts, scaleInside(facts, bounds));
  return size.width * size.height * MAX_CHANNELS <= MAX_DECODED_BYTES ? size : undefined;
}

/** Whether a still is decoded to pixels of its full size, whatever the width of its widest variant. */
export function isKeptAtFullSize({ type, facts, frames }: InspectedSource): boolean {
  const isSmall = facts.width * facts.height <= MAX_FULL_SIZE_PIXELS;
  return frames === 1 && isSmall && !SHRINK_ON_LOAD.includes(type);
}

/**
 * Decodes a still image once, to pixels of the given size.
 *
 * @param maxPixels - the limit of pixels for sharp
 * @throws EdgepressError `source_corrupt`, or `overloaded` after a timeout
 */
export async function decodeToPixels(
  source: InspectedSource,
  size: Size,
  maxPixels: number,
): Promise<PixelSource> {
  const image = await openSource(source, maxPixels);
  const pixels = await readSrgb(
    image.resize({ width: size.width, height: size.height, fit: 'fill' }),
    source,
  );
  await checkTiles(source, pixels.decoded);
  if (pixels.decoded) await checkJpegEnd(source, pixels.decoded);
  return pixels;
}

/**
 * Decodes a still image as {@link decodeToPixels} does. If the decoder rejects the file, and the fault can be repaired, the repaired file is
 * decoded.
 *
 * @returns the pixels, and the source with the file that they were decoded from
 * @throws EdgepressError `source_corrupt`, or `overloaded` after a timeout
 */
export async function decodeOrRepair(
  source: InspectedSource,
  size: Size,
  maxPixels: number,
): Promise<{ source: InspectedSource; pixels: PixelSource }> {
  try {
    return { source, pixels: await decodeToPixels(source, size, maxPixels) };
  } catch (error) {
    const isRejected = error instanceof EdgepressError && error.code === 'source_corrupt';
    const repair = isRejected ? await repairRejected(source.bytes, source.type) : undefined;
    if (!repair) throw (isRejected && unsupportedError(source.bytes, source.type)) || error;
    const repaired = { ...source, ...repair };
    return { source: repaired, pixels: await decodeToPixels(repaired, size, maxPixels) };
  }
}

/** Runs a pipeline and returns its pixels in sRGB. */
async function readSrgb(image: Sharp, source: InspectedSource): Promise<PixelSource> {
  if (source.colours && source.frames === 1) return convertedPixels(image, source, source.colours);
  const { data, info } = await run(image.toColourspace('srgb').raw(), source.type);
  const { width, height, channels } = info;
  if (channels !== 3 && channels !== 4)
    throw new EdgepressError(
      'source_not_image',
      `The ${source.type} image has ${channels} channels, which is not supported`,
    );
  return rawPixelSource({ data, width, height, channels });
}

/** Runs a pipeline whose colours libvips does not know, and converts its pixels to sRGB. */
async function convertedPixels(
  image: Sharp,
  { type, decoder, metadata }: InspectedSource,
  colours: Colours,
): Promise<PixelSource> {
  const isDeep = decoder === 'sharp' && metadata.depth === 'ushort';
  const space = { rgb: isDeep ? 'rgb16' : 'srgb', cmyk: 'cmyk' }[colours.model];
  const raw = image.toColourspace(space).raw({ depth: isDeep ? 'ushort' : 'uchar' });
  const { data, info } = await run(raw, type);
  const { width, height, channels } = info;
  const values = isDeep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  const pixels = await convertToSrgb(values, channels, colours);
  return rawPixelSource({ data: asBuffer(pixels.data), width, height, channels: pixels.channels });
}

async function run(pipeline: Sharp, type: ImageType) {
  return await withDecodeErrors(type, () =>
    pipeline.timeout({ seconds: DECODE_TIMEOUT_SECONDS }).toBuffer({ resolveWithObject: true }),
  );
}

/** A function of its own, so that the closure keeps only the pixels alive and not the bytes of the source. */
function rawPixelSource(decoded: RawPixels): PixelSource {
  const { data, ...raw } = decoded;
  return { open: async () => sharp(data, { raw }), isStreamed: false, decoded };
}

/**
 * Returns a pixel source that decodes for each variant. It serves animations, whose decoded frames would take hundreds of megabytes and
 * lose their delays, and stills that are too long to keep.
 *
 * @param maxPixels - the limit of pixels for sharp
 * @param withPermit - runs what decodes before a pipeline is there
 */
export function streamPixels(
  source: InspectedSource,
  maxPixels: number,
  withPermit: <T>(work: () => Promise<T>) => Promise<T>,
): PixelSource {
  const open = async () => {
    await checkTiles(source);
    return await openSource(source, maxPixels);
  };
  if (source.decoder === 'sharp' && !source.colours) return { open, isStreamed: true };
  if (!source.colours || source.frames > 1) return { open: () => withPermit(open), isStreamed: true };
  const converted = async () => (await readSrgb(await open(), source)).open();
  return { open: () => withPermit(converted), isStreamed: true };
}
