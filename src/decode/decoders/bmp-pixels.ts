import type { BmpHeader } from '../containers/bmp-header.ts';

/** Writes the pixels of one row: reads at a position of the file, writes RGB, or RGBA if there is a mask for alpha, at one of `out`. */
export type WriteRow = (from: number, out: Uint8Array, to: number) => void;

const MAX_COLOURS = 256;

/** Returns the colours of a palette, three bytes each. Indexes beyond its end are black, as in browsers. */
export function readPalette(file: Buffer, { at, entryBytes, colours }: BmpHeader['palette']): Uint8Array {
  const palette = new Uint8Array(MAX_COLOURS * 3);
  for (let index = 0; index < Math.min(colours, MAX_COLOURS); index++) {
    const entry = at + index * entryBytes;
    palette.set([file.readUInt8(entry + 2), file.readUInt8(entry + 1), file.readUInt8(entry)], index * 3);
  }
  return palette;
}

/**
 * Returns what reads the rows of an uncompressed BMP.
 *
 * @throws RangeError if the file ends within the palette
 */
export function rowWriter(file: Buffer, header: BmpHeader): WriteRow {
  const { bits, width, masks, palette } = header;
  if (bits === 24) return (from, out, to) => writeBytes(file, from, out, to, width);
  if (bits > 8) return maskedRows(file, width, bits, masks);
  return indexedRows(file, width, bits, readPalette(file, palette));
}

function writeBytes(file: Buffer, from: number, out: Uint8Array, to: number, width: number): void {
  for (let at = 0; at < 3 * width; at += 3) {
    out[to + at] = file[from + at + 2] as number;
    out[to + at + 1] = file[from + at + 1] as number;
    out[to + at + 2] = file[from + at] as number;
  }
}

function indexedRows(file: Buffer, width: number, bits: number, palette: Uint8Array): WriteRow {
  const perByte = 8 / bits;
  const largest = 2 ** bits - 1;
  return (from, out, to) => {
    for (let x = 0; x < width; x++) {
      const place = x % perByte;
      const byte = file[from + (x - place) / perByte] as number;
      const colour = ((byte >> (8 - bits * (place + 1))) & largest) * 3;
      const at = to + 3 * x;
      out[at] = palette[colour] as number;
      out[at + 1] = palette[colour + 1] as number;
      out[at + 2] = palette[colour + 2] as number;
    }
  };
}

function maskedRows(file: Buffer, width: number, bits: number, masks: BmpHeader['masks']): WriteRow {
  const pixelBytes = bits / 8;
  const channels = (masks[3] === 0 ? masks.slice(0, 3) : masks).map(channelOf);
  return (from, out, to) => {
    let at = to;
    for (let x = 0; x < width; x++) {
      const place = from + x * pixelBytes;
      const pixel = bits === 16 ? file.readUInt16LE(place) : file.readUInt32LE(place);
      for (const { shift, values } of channels) {
        out[at++] = values[(pixel >>> shift) & (values.length - 1)] as number;
      }
    }
  };
}

/** Where the most significant bits of a channel are, at most eight, and what their values are in a range of 0 to 255. */
function channelOf(mask: number): { shift: number; values: Uint8Array } {
  if (mask === 0) return { shift: 0, values: new Uint8Array(1) };
  const highest = 32 - Math.clz32(mask);
  const lowest = 31 - Math.clz32(mask & -mask);
  const bits = Math.min(8, highest - lowest);
  const largest = 2 ** bits - 1;
  const values = Uint8Array.from({ length: largest + 1 }, (_, value) => Math.round((value * 255) / largest));
  return { shift: highest - bits, values };
}
