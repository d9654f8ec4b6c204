import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputFault } from './input-fault.ts';
import { peekChunks } from './peek-chunks.ts';
import { decompressZstd } from './zstd.ts';

/** A file that is compressed, sent with a `Content-Encoding` of its own. */
const MAX_LAYERS = 2;
/** Units whose URLs are all alike have up to 80 times the length of what they are compressed to; a bomb has a thousand times, and more. */
const MAX_RATIO = 250;
/** Up to this length, a few units that are all alike may exceed the ratio. */
const FREE_BYTES = 2 ** 23;
/** Thirty million units. */
const MAX_UNPACKED_BYTES = 2 ** 34;
const PIECE_BYTES = 2 ** 12;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What a compressed input is decompressed by; `undefined` for one that is not. */
type Decompress = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/**
 * Decompresses what is compressed with gzip or Zstandard, by its first bytes, up to twice; leaves anything else as it is.
 *
 * @throws InputFault while it is read, if it is damaged, or more than {@link MAX_RATIO} times as long as it was
 */
export async function* unpack(
  chunks: AsyncIterable<Uint8Array>,
  layers = MAX_LAYERS,
): AsyncGenerator<Uint8Array, void> {
  const { head, all } = await peekChunks(chunks, ZSTD_MAGIC.length);
  const decompress = findDecompression(head);
  if (!decompress) return yield* all;
  if (layers === 0) throw new InputFault('it is compressed more than twice');
  let packedBytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of inPieces(all)) {
      packedBytes += chunk.byteLength;
      yield chunk;
    }
  }
  let bytes = 0;
  async function* bounded(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of decompress?.(counted()) ?? []) {
      bytes += chunk.byteLength;
      if (bytes > Math.max(MAX_RATIO * packedBytes, FREE_BYTES)) throw tooLong(`${MAX_RATIO} times as long`);
      if (bytes > MAX_UNPACKED_BYTES) throw tooLong(`${MAX_UNPACKED_BYTES} bytes`);
      yield chunk;
    }
  }
  yield* unpack(bounded(), layers - 1);
}

function findDecompression(head: Uint8Array): Decompress | undefined {
  if (GZIP_MAGIC.equals(head.subarray(0, 2))) return gunzip;
  if (ZSTD_MAGIC.equals(head)) return decompressZstd;
  return undefined;
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const source = Readable.from(chunks, { highWaterMark: 1 });
  const unzipped = source.pipe(createGunzip());
  let failure: unknown;
  source.on('error', (error) => {
    failure = error;
    unzipped.destroy(error);
  });
  try {
    yield* unzipped;
  } catch (cause) {
    if (cause === failure) throw cause;
    throw new InputFault(`its gzip data is damaged: ${(cause as Error).message}`, { cause });
  } finally {
    source.destroy();
  }
}

/** So that little is read ahead of what is unpacked: a bomb shows after a few pieces. */
async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.byteLength; start += PIECE_BYTES)
      yield chunk.subarray(start, start + PIECE_BYTES);
  }
}

function tooLong(than: string): InputFault {
  return new InputFault(`unpacked, it is more than ${than}: send it in parts, or not compressed`);
}
