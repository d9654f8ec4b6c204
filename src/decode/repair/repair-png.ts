import { promisify } from 'node:util';
import { constants, crc32, deflate, inflateRaw } from 'node:zlib';
import { pngChunk, pngChunks } from '../containers/chunks.ts';

/** Samples per pixel, by colour type (PNG, third edition, section 11.2.1). */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** The passes of Adam7 (section 8.1): the first pixel of a pass, and the distance to its next, across and down. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Repairing takes two times the bytes of all pixels. Screenshots of phones have 16 MiB. */
const MAX_PIXEL_BYTES = 128 * 2 ** 20;
/** A header of two bytes stands before the compressed data, and their checksum of four after them (RFC 1950). */
const ZLIB = { HEADER_BYTES: 2, CHECKSUM_BYTES: 4 };
/** The chunks that decoding needs, besides the pixels: colours and transparency. */
const KEPT = ['IHDR', 'PLTE', 'tRNS', 'cICP', 'iCCP', 'sRGB', 'gAMA', 'cHRM', 'sBIT', 'eXIf'];

interface Chunk {
  type: string;
  data: Buffer;
  /** Whether its checksum is right; `undefined` if the file ends before it, which is no sign of damage in what is there. */
  isRight: boolean | undefined;
}

/**
 * Repairs a PNG that a decoder has rejected: wrong or missing checksums, of chunks or of the compressed data, a wrong header of the
 * compressed data, and a missing end, if all pixels are there.
 *
 * Either the checksums of the chunks with pixels or that of the compressed data must be right: with both wrong, pixels are damaged.
 *
 * @returns `undefined` if pixels are missing or damaged
 */
export async function repairPng(bytes: Uint8Array): Promise<Buffer | undefined> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = readChunks(file);
  const header = chunks[0];
  if (header?.type !== 'IHDR' || header.data.length !== 13 || !header.isRight) return undefined;
  const size = scanlineBytes(header.data);
  if (size === undefined || size > MAX_PIXEL_BYTES) return undefined;
  const compressed = chunks.filter(({ type }) => type === 'IDAT');
  const scanlines = await inflateScanlines(
    Buffer.concat(compressed.map(({ data }) => data)),
    size,
    compressed.every(({ isRight }) => isRight !== false),
  );
  if (!scanlines) return undefined;
  const kept = chunks.filter(({ type, isRight }) => isRight && KEPT.includes(type));
  return Buffer.concat([
    file.subarray(0, 8),
    ...kept.map(({ type, data }) => pngChunk(type, data)),
    pngChunk('IDAT', await promisify(deflate)(scanlines, { level: 1 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Reads the chunks that are needed. The last one may be cut off: its pixels may all be there. */
function readChunks(file: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (const { type, start, dataStart, dataEnd, end } of pngChunks(file)) {
    if (type !== 'IDAT' && !KEPT.includes(type)) continue;
    const isWhole = end <= file.length;
    const isRight = isWhole
      ? crc32(file.subarray(start + 4, dataEnd)) === file.readUInt32BE(dataEnd)
      : undefined;
    chunks.push({ type, data: file.subarray(dataStart, dataEnd), isRight });
  }
  return chunks;
}

/** Returns the bytes of all filtered scanlines (sections 7.2 and 9); `undefined` for a colour type that does not exist. */
function scanlineBytes(header: Buffer): number | undefined {
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const samples = SAMPLES[header[9] as number];
  if (samples === undefined) return undefined;
  const passBytes = (columns: number, rows: number) =>
    columns === 0 ? 0 : rows * (1 + Math.ceil((columns * samples * (header[8] as number)) / 8));
  if (header[12] === 0) return passBytes(width, height);
  return ADAM7.reduce((sum, [left, top, across, down]) => {
    const columns = Math.max(0, Math.ceil((width - left) / across));
    return sum + passBytes(columns, Math.max(0, Math.ceil((height - top) / down)));
  }, 0);
}

/** Returns the scanlines if they are all there and either checksum is right. More data than the scanlines are ignored, as decoders do. */
async function inflateScanlines(data: Buffer, size: number, isChecked: boolean): Promise<Buffer | undefined> {
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 * size + 1024, info: true };
    const { buffer, engine } = await inflateWithInfo(data.subarray(ZLIB.HEADER_BYTES), options);
    if (buffer.length < size) return undefined;
    const end = ZLIB.HEADER_BYTES + engine.bytesWritten;
    const checksum = end + ZLIB.CHECKSUM_BYTES <= data.length ? data.readUInt32BE(end) : undefined;
    return isChecked || checksum === adler32(buffer) ? buffer.subarray(0, size) : undefined;
  } catch {
    // Damaged data, or many times as many as there are pixels.
    return undefined;
  }
}

interface InflateInfo {
  buffer: Buffer;
  engine: { bytesWritten: number };
}

function inflateWithInfo(data: Buffer, options: object): Promise<InflateInfo> {
  return new Promise((resolve, reject) => {
    inflateRaw(data, options, (error, result) => {
      if (error) reject(error);
      else resolve(result as unknown as InflateInfo);
    });
  });
}

/** The checksum of compressed data (RFC 1950, section 8.2). Sums of 3,800 bytes stay below 2 to the power of 32. */
function adler32(data: Buffer): number {
  let [a, b] = [1, 0];
  for (let at = 0; at < data.length; ) {
    for (const end = Math.min(data.length, at + 3800); at < end; at++) {
      a += data[at] as number;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return b * 65_536 + a;
}
