import type { Sharp } from 'sharp';
import { EdgepressError } from '../../protocol/error.ts';
import { pngChunk, pngChunks } from '../containers/chunks.ts';
import { DECODE_TIMEOUT_SECONDS, withDecodeErrors } from '../decode-errors.ts';
import type { DecodedPixels } from '../image-type.ts';
import { compose, createCanvas, type FrameArea } from './apng-canvas.ts';

/** A frame with its compressed pixels. */
interface ApngFrame extends FrameArea {
  /** In milliseconds. */
  delay: number;
  data: Buffer[];
}

interface Apng {
  width: number;
  height: number;
  frames: ApngFrame[];
  /** How often it is played; 0 for ever. */
  loop: number;
  /** The contents of `IHDR`, and the chunks that say what the pixels of all frames mean. */
  header: Buffer;
  shared: Buffer[];
}

const DISPOSALS = ['none', 'background', 'previous'] as const;
const BLENDS = ['source', 'over'] as const;
const FRAME_CONTROL_BYTES = 26;
/** Chunks before the pixels that each frame needs, too. */
const SHARED = ['PLTE', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'cICP', 'sBIT'];
/** Those of an animation, and those around it. */
const READ = ['IHDR', 'acTL', 'fcTL', 'fdAT', 'IDAT', 'IEND'];
/** Where a denominator of 0 stands for hundredths of a second. */
const DEFAULT_DENOMINATOR = 100;

interface Chunk {
  type: string;
  content: Buffer;
  bytes: Buffer;
}

/** Returns how long each frame of an animated PNG is shown, in milliseconds, and how often it is played; `undefined` for a still. */
export function readApngHeader(file: Buffer): { delay: number[]; loop: number } | undefined {
  const apng = readApng(file);
  return apng && { delay: apng.frames.map(({ delay }) => delay), loop: apng.loop };
}

/**
 * Decodes an animated PNG: each frame as a PNG of its own, then composed as its `fcTL` says.
 *
 * @param open - opens a PNG as a pipeline of its sRGB pixels
 * @throws EdgepressError `source_corrupt`, or `overloaded` after a timeout
 */
export async function decodeApng(bytes: Buffer, open: (png: Buffer) => Sharp): Promise<DecodedPixels> {
  const apng = readApng(bytes);
  if (!apng) throw new TypeError('the PNG is not animated');
  const { width, height, frames } = apng;
  const canvas = createCanvas(width, height);
  const data = Buffer.alloc(canvas.pixels.length * frames.length);
  for (const [index, frame] of frames.entries()) {
    // One after the other: decoded frames of a long animation would take more memory than the animation.
    const pixels = await withDecodeErrors('apng', () =>
      open(framePng(apng, frame))
        .toColourspace('srgb')
        .ensureAlpha()
        .raw()
        .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
        .toBuffer(),
    );
    compose(canvas, frame, pixels, data.subarray(canvas.pixels.length * index));
  }
  return { data, width, height, channels: 4, frames: frames.length };
}

/**
 * Reads the chunks of an animated PNG.
 *
 * @returns `undefined` for a still, and where the animation is not as it should be: decoders then show the still (section 4.10)
 * @throws EdgepressError `source_corrupt` for a truncated animation
 */
function readApng(file: Buffer): Apng | undefined {
  const chunks = readChunks(file);
  const control = chunks.find(({ type }) => type === 'acTL' || type === 'IDAT');
  const header = chunks[0];
  if (control?.type !== 'acTL' || control.content.length !== 8 || header?.content.length !== 13)
    return undefined;
  if (chunks.at(-1)?.type !== 'IEND')
    throw new EdgepressError('source_corrupt', 'The apng image is truncated');
  const [width, height] = [header.content.readUInt32BE(0), header.content.readUInt32BE(4)];
  const frames = readFrames(chunks);
  const isWhole = frames?.length === control.content.readUInt32BE(0);
  if (!frames || !isWhole || !frames.every((frame) => isInside(frame, width, height))) return undefined;
  const isStill = frames.length === 1 && chunks.every(({ type }) => type !== 'fdAT');
  if (isStill || frames.length === 0) return undefined;
  const pixels = chunks.findIndex(({ type }) => type === 'IDAT');
  const shared = chunks.slice(1, pixels).filter(({ type }) => SHARED.includes(type));
  return {
    width,
    height,
    frames,
    loop: control.content.readUInt32BE(4),
    header: header.content,
    shared: shared.map((chunk) => chunk.bytes),
  };
}

/** Returns the chunks up to the end of the image or of the file; of a still, up to its pixels. */
function readChunks(file: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  let isStill = true;
  for (const { type, start, dataStart, dataEnd, end } of pngChunks(file)) {
    isStill &&= type !== 'acTL';
    if (end > file.length || (type === 'IDAT' && isStill)) break;
    if (READ.includes(type) || SHARED.includes(type))
      chunks.push({ type, content: file.subarray(dataStart, dataEnd), bytes: file.subarray(start, end) });
  }
  return chunks;
}

/** @returns `undefined` if chunks are missing or out of order */
function readFrames(chunks: readonly Chunk[]): ApngFrame[] | undefined {
  const numbered = chunks.filter(({ type }) => type === 'fcTL' || type === 'fdAT');
  const isInOrder = numbered.every(
    ({ content }, index) => content.length >= 4 && content.readUInt32BE(0) === index,
  );
  const controls = numbered.filter(({ type }) => type === 'fcTL');
  if (!isInOrder || controls.some(({ content }) => content.length !== FRAME_CONTROL_BYTES)) return undefined;
  const frames: ApngFrame[] = [];
  for (const { type, content } of chunks) {
    if (type === 'fcTL') frames.push(readFrameControl(content));
    // Pixels before the first `fcTL` belong to the still only.
    if (type === 'IDAT') frames.at(-1)?.data.push(content);
    if (type === 'fdAT') frames.at(-1)?.data.push(content.subarray(4));
  }
  return frames.every(({ data }) => data.length > 0) ? frames : undefined;
}

function readFrameControl(content: Buffer): ApngFrame {
  const denominator = content.readUInt16BE(22) || DEFAULT_DENOMINATOR;
  return {
    width: content.readUInt32BE(4),
    height: content.readUInt32BE(8),
    left: content.readUInt32BE(12),
    top: content.readUInt32BE(16),
    delay: Math.round((1000 * content.readUInt16BE(20)) / denominator),
    dispose: DISPOSALS[content.readUInt8(24)] ?? 'none',
    blend: BLENDS[content.readUInt8(25)] ?? 'source',
    data: [],
  };
}

function isInside(frame: ApngFrame, width: number, height: number): boolean {
  const { left, top } = frame;
  return frame.width > 0 && frame.height > 0 && left + frame.width <= width && top + frame.height <= height;
}

/** Returns a frame as a PNG of its own. */
function framePng({ header, shared }: Apng, { width, height, data }: ApngFrame): Buffer {
  const size = Buffer.from(header);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    pngChunk('IHDR', size),
    ...shared,
    ...data.map((part) => pngChunk('IDAT', part)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}
