import type { BmpHeader } from '../containers/bmp-header.ts';
import { readPalette } from './bmp-pixels.ts';

/** What the bytes at a position say. A code may stand for no pixels, and move on. */
interface Code {
  kind: 'run' | 'pixels' | 'move' | 'end';
  /** Of pixels, and where they are in the file. */
  count: number;
  from: number;
  /** By how much to move: `undefined` for the start of the row. */
  dx: number | undefined;
  dy: number;
  /** Where the next code is. */
  next: number;
}

/**
 * Decodes the run lengths of a BMP, to RGB. As in browsers, pixels that are left out are black, and runs that are too long end with
 * their row. The work grows with the pixels and the bytes of the file: runs never go back.
 *
 * @param out - black
 * @returns a generator that gives way after each code, with a measure of its work
 * @throws RangeError if the file ends before the image does
 */
export function* writeRunLengths(file: Buffer, header: BmpHeader, out: Uint8Array): Generator<number> {
  const { width, height, isTopDown, bits } = header;
  const write = pixelWriter(file, header, out);
  let at = header.pixelsAt;
  let [x, row] = [0, 0];
  while (row < height) {
    // The image may end without a code that says so.
    if (at >= file.length && row === height - 1 && x === width) return;
    const { kind, count, from, dx, dy, next } = readCode(file, at, bits);
    if (kind === 'end') return;
    const first = (isTopDown ? row : height - 1 - row) * width + x;
    const written = Math.min(count, width - x);
    for (let index = 0; index < written; index++) write(first + index, from, index, kind === 'run');
    x = dx === undefined ? 0 : Math.min(width, x + written + dx);
    row += dy;
    at = next;
    yield written + 1;
  }
}

function readCode(file: Buffer, at: number, bits: number): Code {
  const unitBytes = bits === 24 ? 3 : 1;
  const count = file.readUInt8(at);
  const from = at + 1;
  if (count > 0) return pixelCode('run', count, from, from + unitBytes, file.length);
  const code = file.readUInt8(from);
  switch (code) {
    case 0:
      return moveCode(undefined, 1, from + 1);
    case 1:
      return { kind: 'end', count: 0, from, dx: 0, dy: 0, next: from + 1 };
    case 2:
      return moveCode(file.readUInt8(from + 1), file.readUInt8(from + 2), from + 3);
    default: {
      const bytes = bits === 4 ? Math.ceil(code / 2) : code * unitBytes;
      // Filled up to a multiple of two bytes.
      return pixelCode('pixels', code, from + 1, from + 1 + bytes + (bytes % 2), file.length + 1);
    }
  }
}

function moveCode(dx: number | undefined, dy: number, next: number): Code {
  return { kind: 'move', count: 0, from: next, dx, dy, next };
}

function pixelCode(kind: 'run' | 'pixels', count: number, from: number, next: number, end: number): Code {
  if (next > end) throw new RangeError('the file ends within a run');
  return { kind, count, from, dx: 0, dy: 0, next };
}

/** Writes a pixel: the place in the image, where the run begins in the file, the index in the run, and whether it repeats its first bytes. */
type WritePixel = (pixel: number, from: number, index: number, isRun: boolean) => void;

function pixelWriter(file: Buffer, { bits, palette }: BmpHeader, out: Uint8Array): WritePixel {
  const colours = bits === 24 ? new Uint8Array() : readPalette(file, palette);
  const writeIndex = (pixel: number, index: number) => {
    out[3 * pixel] = colours[3 * index] as number;
    out[3 * pixel + 1] = colours[3 * index + 1] as number;
    out[3 * pixel + 2] = colours[3 * index + 2] as number;
  };
  switch (bits) {
    case 4:
      return (pixel, from, index, isRun) => {
        const byte = file[isRun ? from : from + (index >> 1)] as number;
        writeIndex(pixel, index % 2 === 0 ? byte >> 4 : byte & 15);
      };
    case 8:
      return (pixel, from, index, isRun) => writeIndex(pixel, file[isRun ? from : from + index] as number);
    default:
      return (pixel, from, index, isRun) => {
        const at = isRun ? from : from + 3 * index;
        out[3 * pixel] = file[at + 2] as number;
        out[3 * pixel + 1] = file[at + 1] as number;
        out[3 * pixel + 2] = file[at] as number;
      };
  }
}
