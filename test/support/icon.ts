import { bmpWithoutFileHeader, type Masks } from './bmp.ts';

/** A picture of an icon, with its size. */
export interface IconEntry {
  width: number;
  height: number;
  bytes: Buffer;
}

/** What differs from an icon without transparency. */
interface IconOptions {
  alpha?: number;
  masks?: Masks;
  /** Whether the mask makes the left half transparent. */
  isMasked?: boolean;
}

/** Returns a BMP as icons have it: with twice the height in its header, and a mask. */
export function iconBmp(
  width: number,
  height: number,
  bits: 1 | 4 | 8 | 24 | 32,
  { isMasked = false, ...kind }: IconOptions = {},
): IconEntry {
  const { bytes } = bmpWithoutFileHeader(width, height, { bits, ...kind });
  bytes.writeInt32LE(2 * height, 8);
  const maskRow = Buffer.alloc(Math.ceil(width / 32) * 4);
  if (isMasked) maskRow.fill(0xff, 0, width / 16);
  return { width, height, bytes: Buffer.concat([bytes, ...Array.from({ length: height }, () => maskRow)]) };
}

/** Makes an icon, or a cursor, which has a hot spot. */
export function icon(entries: readonly IconEntry[], kind: 'icon' | 'cursor' = 'icon'): Buffer {
  const header = Buffer.alloc(6 + 16 * entries.length);
  header.writeUInt16LE(kind === 'icon' ? 1 : 2, 2);
  header.writeUInt16LE(entries.length, 4);
  let at = header.length;
  for (const [index, { width, height, bytes }] of entries.entries()) {
    const entry = 6 + 16 * index;
    header.set([width & 0xff, height & 0xff], entry);
    header.writeUInt16LE(kind === 'icon' ? 1 : 7, entry + 4);
    header.writeUInt16LE(kind === 'icon' ? 24 : 9, entry + 6);
    header.writeUInt32LE(bytes.length, entry + 8);
    header.writeUInt32LE(at, entry + 12);
    at += bytes.length;
  }
  return Buffer.concat([header, ...entries.map(({ bytes }) => bytes)]);
}
