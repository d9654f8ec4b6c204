import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createUnzip } from 'node:zlib';
import { EdgepressError } from '../protocol/error.ts';
import { unavailable } from './source-failure.ts';

export interface ReadBodyOptions {
  /** The bound of the body as it is sent, and again of what it decodes to. */
  maxBytes: number;
  /** The length that was announced of the body as it is sent, where one was. */
  declaredBytes?: number | undefined;
  /** The `Content-Encoding`, where there was one. */
  encoding?: string | undefined;
  signal: AbortSignal;
  /** Whose body it is, for messages. */
  from: string;
}

/**
 * Reads a whole body into memory, and never more of it than `maxBytes`: not of what is sent, and not of what a few
 * kilobytes of gzip unpack to. After a failure the body is destroyed, and with it its connection.
 *
 * @throws EdgepressError `source_too_large` (unread, where the announced length says so), `source_unavailable` for an unknown
 *   encoding and for another length than the announced one; and the streams' own errors
 */
export async function readBody(body: Readable, options: ReadBodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { declaredBytes, encoding, maxBytes, signal, from } = options;
  const count = (chunks: AsyncIterable<Buffer>) => counted(chunks, options);
  const collect = (chunks: AsyncIterable<Buffer>) => collected(chunks, from, maxBytes);
  try {
    if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLarge(from, maxBytes);
    const decoder = decoderFor(encoding, from);
    return decoder
      ? await pipeline(body, count, decoder, collect, { signal })
      : await pipeline(body, count, collect, { signal });
  } catch (error) {
    // Without a listener, the error of a stream that nobody reads any more would end the process.
    body.on('error', () => {}).destroy();
    throw error;
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, options: ReadBodyOptions): AsyncGenerator<Buffer> {
  const { declaredBytes, from, maxBytes } = options;
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(from, maxBytes);
    yield chunk;
  }
  if (declaredBytes !== undefined && bytes !== declaredBytes) {
    throw unavailable(`${bytes} bytes instead of the ${declaredBytes} announced by ${from}`, {
      retryable: true,
    });
  }
}

async function collected(
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
      throw unavailable(`${from} sent a Content-Encoding that was not asked for and is not understood`, {
        retryable: false,
      });
  }
}

function tooLarge(from: string, maxBytes: number): EdgepressError {
  return new EdgepressError('source_too_large', `the image at ${from} has more than ${maxBytes} bytes`);
}
