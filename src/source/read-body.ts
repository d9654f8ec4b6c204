import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
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
  const { declaredBytes, maxBytes, from } = options;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLarge(from, maxBytes);
    bytes = await collect(body, options);
  } catch (error) {
    // Without a listener, a later error of the stream would crash the process.
    body.on('error', () => {}).destroy();
    throw error;
  }
  return await decodeBody(bytes, options);
}

/** Where the bytes of a body of unknown length are collected at first. */
const FIRST_BYTES = 65_536;

/** Reads a body as it is sent. Each chunk is copied once, to its place: originals have megabytes, in dozens of chunks. */
async function collect(
  body: Readable,
  { declaredBytes, maxBytes, signal, from }: ReadBodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  let whole = allocate(declaredBytes ?? Math.min(maxBytes, FIRST_BYTES));
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    const end = bytes + chunk.length;
    if (end > maxBytes) body.destroy(tooLarge(from, maxBytes));
    else {
      if (end > whole.length) whole = enlarged(whole, Math.min(maxBytes, Math.max(end, 2 * whole.length)));
      whole.set(chunk, bytes);
    }
    bytes = end;
  });
  await finished(body, { signal, writable: false });
  if (declaredBytes !== undefined && bytes !== declaredBytes) {
    throw unavailable(`${bytes} bytes instead of the ${declaredBytes} declared by ${from}`, {
      retryable: true,
    });
  }
  return bytes === whole.length ? whole : whole.slice(0, bytes);
}

function enlarged(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = allocate(length);
  larger.set(bytes);
  return larger;
}

/** Returns bytes that are not zeroed, which takes as long as reading them: only those that were read are passed on. They are no part of a pool. */
function allocate(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
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

function tooLarge(from: string, maxBytes: number): EdgepressError {
  return new EdgepressError('source_too_large', `the image at ${from} has more than ${maxBytes} bytes`);
}
