import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EdgepressError } from '../protocol/error.ts';
import { decodersFor } from './content-encoding.ts';
import { unavailable } from './source-failure.ts';

export interface ReadBodyOptions {
  /** The limit of the body as it is sent, and also of its decoded form. */
  maxBytes: number;
  /** The `Content-Length`, if there is one. */
  declaredBytes?: number | undefined;
  /** The `Content-Encoding`, if there is one; see `decodersFor`. */
  encoding?: string | undefined;
  signal: AbortSignal;
  /** The host or bucket, for error messages. */
  from: string;
}

/**
 * Reads a whole body into memory and decodes it. Neither the body as it is sent nor any decoded form may exceed `maxBytes`, so
 * decompression bombs do no harm. After an error the body and its connection are destroyed.
 *
 * @throws EdgepressError `source_too_large` (without reading if the declared length exceeds the limit); `source_unavailable` if the length
 *   differs from the declared one
 * @throws the errors of the streams and of zlib
 */
export async function readBody(body: Readable, options: ReadBodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { declaredBytes, maxBytes, signal, from } = options;
  const checkLength = (chunks: AsyncIterable<Buffer>) => withCheckedLength(chunks, options);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLarge(from, maxBytes);
    bytes = await pipeline(body, checkLength, concatChunks, { signal });
  } catch (error) {
    // Without a listener, a later error of the stream would crash the process.
    body.on('error', () => {}).destroy();
    throw error;
  }
  return await decodeBody(bytes, options);
}

async function decodeBody(
  sent: Uint8Array<ArrayBuffer>,
  { encoding, maxBytes, from }: ReadBodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const decoders = decodersFor(encoding);
  if (decoders.length === 0) return sent;
  let bytes: Uint8Array = sent;
  for (const decode of decoders) {
    bytes = await decode(bytes, maxBytes).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(from, maxBytes) : error;
    });
  }
  return Uint8Array.from(bytes);
}

async function* withCheckedLength(
  chunks: AsyncIterable<Buffer>,
  options: ReadBodyOptions,
): AsyncGenerator<Buffer> {
  const { declaredBytes, from, maxBytes } = options;
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(from, maxBytes);
    yield chunk;
  }
  if (declaredBytes !== undefined && bytes !== declaredBytes) {
    throw unavailable(`${bytes} bytes instead of the ${declaredBytes} declared by ${from}`, {
      retryable: true,
    });
  }
}

async function concatChunks(chunks: AsyncIterable<Buffer>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    parts.push(chunk);
  }
  const whole = new Uint8Array(bytes);
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

function tooLarge(from: string, maxBytes: number): EdgepressError {
  return new EdgepressError('source_too_large', `the image at ${from} has more than ${maxBytes} bytes`);
}
