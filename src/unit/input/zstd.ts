import { setImmediate } from 'node:timers/promises';
import { Decompress } from 'fzstd';
import { InputFault } from './input-fault.ts';

// Zstandard by fzstd: Node's zlib has it from 22.15 on only. fzstd decodes whatever a chunk has in one go, and allocates the window that
// a frame asks for. So frames are taken apart here (RFC 8878, section 3.1.1): it gets one block at a time, which has 128 KiB at most.

/** The largest window of `Content-Encoding: zstd` (RFC 9659), which `zstd -19` and less stay within. */
const MAX_WINDOW_BYTES = 2 ** 23;
const FRAME_MAGIC = 0xfd2fb528;
/** The first of 16 magic numbers of frames that are skipped. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_HEADER_BYTES = 18;
const BLOCK_HEADER_BYTES = 3;
const MAX_BLOCK_BYTES = 2 ** 17;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;
const CHECKSUM_BYTES = 4;
/** How long blocks are decoded at a stretch, in milliseconds. */
const MAX_STRETCH_MS = 5;

/**
 * Decompresses Zstandard, with back-pressure, a block at a time. Checksums are not verified.
 *
 * @throws InputFault if it is damaged, or its window is larger than {@link MAX_WINDOW_BYTES}
 */
export async function* decompressZstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const bytes = createByteReader(chunks);
  let startMs = performance.now();
  for (;;) {
    const magic = (await bytes.peek(4)).readUInt32LE();
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      await bytes.skip((await bytes.peek(8)).readUInt32LE(4) + 8);
    } else {
      if (magic !== FRAME_MAGIC) throw damaged('a frame begins with other bytes');
      for await (const block of decodeFrame(bytes)) {
        yield block;
        if (performance.now() - startMs < MAX_STRETCH_MS) continue;
        await setImmediate();
        startMs = performance.now();
      }
    }
    if (await bytes.isAtEnd()) return;
  }
}

async function* decodeFrame(bytes: ByteReader): AsyncGenerator<Uint8Array, void> {
  const decoded: Uint8Array[] = [];
  const decoder = new Decompress((part) => decoded.push(part));
  const push = (part: Uint8Array) => {
    try {
      decoder.push(part);
    } catch (cause) {
      throw damaged((cause as Error).message, cause);
    }
  };
  const { headerBytes, hasChecksum } = readFrameHeader(await bytes.peek(5, MAX_HEADER_BYTES));
  push(await bytes.take(headerBytes));
  for (let isLast = false; !isLast; ) {
    const header = (await bytes.peek(BLOCK_HEADER_BYTES)).readUIntLE(0, BLOCK_HEADER_BYTES);
    isLast = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === RESERVED_BLOCK || size > MAX_BLOCK_BYTES) throw damaged('a block is of an unknown type');
    push(await bytes.take(BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : size)));
    yield* decoded.splice(0);
  }
  if (hasChecksum) await bytes.take(CHECKSUM_BYTES);
}

/** Reads a frame header (RFC 8878, section 3.1.1.1), at whose start there may be fewer bytes than it says. */
function readFrameHeader(bytes: Buffer): { headerBytes: number; hasChecksum: boolean } {
  const descriptor = bytes[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag;
  const sizeAt = (isSingleSegment ? 5 : 6) + dictionaryBytes;
  if (bytes.length < sizeAt + sizeBytes) throw damaged('it ends too early');
  if (dictionaryBytes > 0) throw new InputFault('its zstd data needs a dictionary: compress it without one');
  const windowBytes = isSingleSegment ? contentBytes(bytes, sizeAt, sizeBytes) : windowOf(bytes[5] ?? 0);
  if (windowBytes > MAX_WINDOW_BYTES) {
    const mebibytes = MAX_WINDOW_BYTES / 2 ** 20;
    throw new InputFault(
      `its zstd window is larger than ${mebibytes} MiB: compress it with level 19 or less`,
    );
  }
  return { headerBytes: sizeAt + sizeBytes, hasChecksum: (descriptor & 4) !== 0 };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentBytes(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

interface ByteReader {
  /** Returns at least `count` of the next bytes, and at most `most`, without taking them. */
  peek(count: number, most?: number): Promise<Buffer>;
  take(count: number): Promise<Buffer>;
  skip(count: number): Promise<void>;
  isAtEnd(): Promise<boolean>;
}

function createByteReader(chunks: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = chunks[Symbol.asyncIterator]();
  let buffer = Buffer.alloc(0);
  let isEnded = false;
  async function fill(count: number): Promise<void> {
    while (buffer.length < count && !isEnded) {
      const next = await iterator.next();
      isEnded = next.done === true;
      if (!next.done) buffer = Buffer.concat([buffer, next.value]);
    }
  }
  async function peek(count: number, most = count): Promise<Buffer> {
    await fill(most);
    if (buffer.length < count) throw damaged('it ends too early');
    return buffer.subarray(0, most);
  }
  return {
    peek,
    async take(count) {
      const taken = await peek(count);
      buffer = buffer.subarray(count);
      return taken;
    },
    async skip(count) {
      let left = count;
      for (; left > buffer.length && !isEnded; await fill(1)) {
        left -= buffer.length;
        buffer = Buffer.alloc(0);
      }
      if (left > buffer.length) throw damaged('it ends too early');
      buffer = buffer.subarray(left);
    },
    async isAtEnd() {
      await fill(1);
      return buffer.length === 0;
    },
  };
}

function damaged(why: string, cause?: unknown): InputFault {
  return new InputFault(`its zstd data is damaged: ${why}`, { cause });
}
