import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createUnzip } from 'node:zlib';
import { EdgepressError } from '../protocol/error.ts';
import { unavailable } from './source-failure.ts';

export interface ReadBodyOptions {
  /** The limit of the body as it is sent, and also of its decoded form. */
  maxBytes: number;
  /** The `Content-Length`, if there is one. */
  declaredBytes?: number | undefined;
  /** The `Content-Encoding`, if there is one. */
  encoding?: string | undefined;
  signal: AbortSignal;
  /** The host or bucket, for error messages. */
  from: string;
}

/**
 * Reads a whole body into memory. Neither the body as it is sent nor its decoded form may exceed `maxBytes`, so decompression bombs do no
 * harm. After an error the body and its connection are destroyed.
 *
 * @throws EdgepressError `source_too_large` (without reading if the declared length exceeds the limit); `source_unavailable` for an unknown
 *   encoding, or if the length differs from the declared one
 * @throws the errors of the streams
 */
export async function readBody(body: Readable, options: ReadBodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { declaredBytes, encoding, maxBytes, signal, from } = options;
  const checkLength = (chunks: AsyncIterable<Buffer>) => withCheckedLength(chunks, options);
  const concat = (chunks: AsyncIterable<Buffer>) => concatChunks(chunks, from, maxBytes);
  try {
    if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLarge(from, maxBytes);
    const decoder = decoderFor(encoding, from);
    return decoder
      ? await pipeline(body, checkLength, decoder, concat, { signal })
      : await pipeline(body, checkLength, concat, { signal });
  } catch (error) {
    // Without a listener, a later error of the stream would crash the process.
    body.on('error', () => {}).destroy();
    throw error;
  }
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

async function concatChunks(
  chunks: AsyncIterable<Buffer>,
  from: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(from, maxBytes);
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

function decoderFor(encoding: string | undefined, from: string) {
  switch (encoding?.trim().toLowerCase() ?? '') {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
    case 'deflate':
      return createUnzip();
    case 'br':
      return createBrotliDecompress();
    default:
      throw unavailable(`${from} sent a Content-Encoding that was not requested and is not supported`, {
        retryable: false,
      });
  }
}

function tooLarge(from: string, maxBytes: number): EdgepressError {
  return new EdgepressError('source_too_large', `the image at ${from} has more than ${maxBytes} bytes`);
}
