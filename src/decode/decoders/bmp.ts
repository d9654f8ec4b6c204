import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { type BmpHeader, readBmpHeader } from '../containers/bmp-header.ts';
import { readIconHeader } from '../containers/ico.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { corruptError } from '../decode-errors.ts';
import type { DecodedPixels, ImageType } from '../image-type.ts';
import { rowWriter } from './bmp-pixels.ts';
import { writeRunLengths } from './bmp-run-lengths.ts';

/** Some 10 to 20 ms of work: other requests are answered in between. */
const PIXELS_AT_ONCE = 250_000;

/**
 * Decodes a BMP, or the picture of an icon, to the pixels that browsers show.
 *
 * @param type - `ico` for a picture as {@link readIconHeader} reads it
 * @throws EdgepressError `source_corrupt` if pixels are missing
 */
export async function decodeBmp(bytes: Uint8Array, type: ImageType): Promise<DecodedPixels> {
  const file = asBuffer(bytes);
  try {
    const header = type === 'ico' ? readIconHeader(file) : readBmpHeader(file);
    if (!header) throw new RangeError('the header is damaged');
    const pixels = await decodePixels(file, header);
    return type === 'ico' ? await withMask(pixels, file, header) : pixels;
  } catch (error) {
    throw error instanceof RangeError ? corruptError(type, error) : error;
  }
}

async function decodePixels(file: Buffer, header: BmpHeader): Promise<DecodedPixels> {
  const { width, height, bits, compression, masks } = header;
  const channels = masks[3] === 0 || bits <= 8 || bits === 24 ? 3 : 4;
  const isRuns = compression !== 'none' && compression !== 'masks';
  if (!isRuns) assertWhole(file, header);
  const data = new Uint8Array(width * height * channels);
  const rows = isRuns ? writeRunLengths(file, header, data) : writeRows(file, header, data, channels);
  await runInBands(rows);
  return { data, width, height, channels, frames: 1 };
}

/** @param rows - yields how many pixels it has done since the last time */
async function runInBands(rows: Generator<number>): Promise<void> {
  let work = 0;
  for (const pixels of rows) {
    work += pixels;
    if (work < PIXELS_AT_ONCE) continue;
    work = 0;
    await yieldToEventLoop();
  }
}

/** The bytes that fill up the last row may be missing. */
function assertWhole(file: Buffer, { width, height, bits, pixelsAt }: BmpHeader): void {
  const end = pixelsAt + rowBytes(width, bits) * (height - 1) + Math.ceil((width * bits) / 8);
  if (end > file.length) throw new RangeError(`${file.length} of ${end} bytes`);
}

/** A row takes a multiple of four bytes. */
function rowBytes(width: number, bits: number): number {
  return Math.ceil((width * bits) / 32) * 4;
}

function* writeRows(file: Buffer, header: BmpHeader, out: Uint8Array, channels: number): Generator<number> {
  const { width, height, bits, isTopDown, pixelsAt } = header;
  const write = rowWriter(file, header);
  const bytes = rowBytes(width, bits);
  for (let row = 0; row < height; row++) {
    write(pixelsAt + row * bytes, out, (isTopDown ? row : height - 1 - row) * width * channels);
    yield width;
  }
}

/** Adds the transparency of an icon: the alpha of its pixels or, if they have none, the mask behind them. What is cut off of it is opaque. */
async function withMask(pixels: DecodedPixels, file: Buffer, header: BmpHeader): Promise<DecodedPixels> {
  const { width, height, channels } = pixels;
  if (channels === 4 && hasAlpha(pixels.data)) return pixels;
  const data = new Uint8Array(width * height * 4);
  await runInBands(writeMasked(pixels, file, header, data));
  return { ...pixels, data, channels: 4 };
}

function hasAlpha(data: Uint8Array): boolean {
  for (let at = 3; at < data.length; at += 4) if (data[at] !== 0) return true;
  return false;
}

function* writeMasked(
  { data, channels }: DecodedPixels,
  file: Buffer,
  header: BmpHeader,
  out: Uint8Array,
): Generator<number> {
  const { width, height, bits, compression, isTopDown, pixelsAt } = header;
  // The length of run lengths is not known, and browsers ignore a mask behind them.
  const isMasked = compression === 'none' || compression === 'masks';
  const maskAt = isMasked ? pixelsAt + rowBytes(width, bits) * height : file.length;
  for (let row = 0; row < height; row++) {
    const rowAt = maskAt + row * rowBytes(width, 1);
    const first = (isTopDown ? row : height - 1 - row) * width;
    for (let x = 0; x < width; x++) {
      const [from, to] = [(first + x) * channels, (first + x) * 4];
      out[to] = data[from] as number;
      out[to + 1] = data[from + 1] as number;
      out[to + 2] = data[from + 2] as number;
      const isTransparent = ((file[rowAt + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1;
      out[to + 3] = isTransparent ? 0 : 255;
    }
    yield width;
  }
}
