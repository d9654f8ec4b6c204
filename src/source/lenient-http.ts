import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

interface ResponseHead {
  statusCode: number;
  headers: IncomingHttpHeaders;
}

/** A response whose body is still to be read. */
export interface LenientResponse extends ResponseHead {
  body: Readable;
}

export interface LenientRequest {
  url: URL;
  /** Names and values; `Host` and `Connection` are added. */
  headers: Readonly<Record<string, string>>;
}

/** The error of a response that not even a lenient reader understands. Its message can be shown to anyone. */
export class InvalidHttpError extends Error {}

/** The connection ended too early. */
class EarlyEndError extends Error {
  readonly code = 'EOF';

  constructor() {
    super('other side closed');
  }
}

/** The limit of the head of a response, in bytes. */
export const MAX_HEADER_BYTES = 16_384;
/** More informational responses than any server has reason to send before the final one. */
const MAX_INFORMATIONAL = 10;

/**
 * Sends a GET over a new connection and reads the response as leniently as browsers and curl do, for servers that do not keep to the
 * letter of HTTP/1.1: bare line feeds, spaces around the colon, folded lines, lines that are no header, equal lengths twice, a length
 * beside chunks, a length without a value, spaces after the size of a chunk, `Transfer-Encoding: identity`.
 *
 * Whatever such a response leaves unclear ends with its connection, which serves this one request: nothing that follows can be taken for
 * the response to another request. The connection is closed with the body, or after an error.
 *
 * @throws InvalidHttpError, here or when the body is read
 * @throws the errors of the socket
 */
export async function requestLeniently(socket: Socket, request: LenientRequest): Promise<LenientResponse> {
  const { url, headers } = request;
  const lines = Object.entries({ host: url.host, ...headers, connection: 'close' });
  const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${fields}\r\n`, 'latin1');
  const reader = createByteReader(socket);
  try {
    const head = await readHead(reader, MAX_HEADER_BYTES);
    const body = Readable.from(bodyOf(head, reader), { objectMode: false });
    body.once('close', () => socket.destroy());
    return { ...head, body };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function readHead(reader: ByteReader, maxBytes: number): Promise<ResponseHead> {
  let left = maxBytes;
  for (let heads = 0; heads <= MAX_INFORMATIONAL; heads++) {
    const lines: string[] = [];
    do {
      const line = await reader.line(left);
      left -= line.length + 2;
      // Empty lines before the status line are left over from an earlier message (RFC 9112, section 2.2).
      if (line !== '' || lines.length > 0) lines.push(line);
    } while (lines.at(-1) !== '');
    const statusCode = parseStatus(lines[0] ?? '');
    if (statusCode >= 200) return { statusCode, headers: parseHeaders(lines.slice(1, -1)) };
    if (statusCode === 101) break;
  }
  throw new InvalidHttpError('it has no final status');
}

function parseStatus(line: string): number {
  const [, digits] = /^HTTP\/1\.\d +([1-9]\d\d)(?: |$)/i.exec(line) ?? [];
  if (digits === undefined) throw new InvalidHttpError('it does not start with a status line of HTTP/1.1');
  return Number(digits);
}

/** Lines that continue the one before are joined to it; lines without a colon are ignored. */
function parseHeaders(lines: readonly string[]): IncomingHttpHeaders {
  // Without a prototype, whose properties have names that a header can have, too.
  const headers: Record<string, string[]> = Object.create(null);
  for (const line of lines
    .join('\n')
    .replace(/\n[ \t]+/g, ' ')
    .split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (value.includes('\0')) throw new InvalidHttpError('a header contains a NUL');
    headers[name] = [...(headers[name] ?? []), value];
  }
  return headers;
}

function bodyOf({ statusCode, headers }: ResponseHead, reader: ByteReader): AsyncGenerator<Buffer> {
  if (statusCode === 204 || statusCode === 304) return reader.take(0);
  const codings = listOf(headers['transfer-encoding']).filter(
    (coding) => coding.toLowerCase() !== 'identity',
  );
  if (codings.length === 1 && codings[0]?.toLowerCase() === 'chunked') {
    // The chunks decide where there is a length, too (RFC 9112, section 6.3).
    delete headers['content-length'];
    return chunks(reader);
  }
  if (codings.length > 0) throw new InvalidHttpError('its Transfer-Encoding is not supported');
  const lengths = [...new Set(listOf(headers['content-length']))];
  const [length] = lengths;
  if (length === undefined) {
    // There may be one without a value.
    delete headers['content-length'];
    return reader.rest();
  }
  if (lengths.length > 1) throw new InvalidHttpError('it has two different values of Content-Length');
  if (!/^\d{1,15}$/.test(length)) throw new InvalidHttpError('its Content-Length is not a number');
  headers['content-length'] = length;
  return reader.take(Number(length));
}

function listOf(value: string | string[] | undefined): string[] {
  const text = Array.isArray(value) ? value.join(',') : (value ?? '');
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** The longest line around a chunk, in bytes. */
const MAX_CHUNK_LINE = 1024;

async function* chunks(reader: ByteReader): AsyncGenerator<Buffer> {
  for (;;) {
    const line = await reader.line(MAX_CHUNK_LINE);
    const [, digits] = /^\s*([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(line) ?? [];
    if (digits === undefined) throw new InvalidHttpError('the size of a chunk is not a hexadecimal number');
    const size = Number.parseInt(digits, 16);
    // What may follow are trailers, which are not used.
    if (size === 0) return;
    yield* reader.take(size);
    if ((await reader.line(MAX_CHUNK_LINE)) !== '')
      throw new InvalidHttpError('a chunk is longer than its size');
  }
}

interface ByteReader {
  /** Returns a line without its end, one character a byte. */
  line(maxBytes: number): Promise<string>;
  /** Yields exactly this many bytes. */
  take(bytes: number): AsyncGenerator<Buffer>;
  /** Yields everything up to the end of the connection. */
  rest(): AsyncGenerator<Buffer>;
}

function createByteReader(socket: Socket): ByteReader {
  const source = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let unread: Buffer = Buffer.alloc(0);

  async function more(): Promise<Buffer | undefined> {
    const { done, value } = await source.next();
    return done ? undefined : value;
  }

  return {
    async line(maxBytes) {
      for (let searched = 0; ; ) {
        const end = unread.indexOf('\n', searched);
        if (end > maxBytes || (end < 0 && unread.length > maxBytes)) {
          throw new InvalidHttpError('a line of it is too long');
        }
        if (end >= 0) {
          const line = unread.toString('latin1', 0, end).replace(/\r$/, '');
          unread = unread.subarray(end + 1);
          return line;
        }
        searched = unread.length;
        const chunk = await more();
        if (!chunk) throw new EarlyEndError();
        unread = Buffer.concat([unread, chunk]);
      }
    },
    async *take(bytes) {
      for (let left = bytes; left > 0; ) {
        if (unread.length === 0) unread = (await more()) ?? Buffer.alloc(0);
        if (unread.length === 0) throw new EarlyEndError();
        const part = unread.subarray(0, left);
        unread = unread.subarray(part.length);
        left -= part.length;
        yield part;
      }
    },
    async *rest() {
      if (unread.length > 0) yield unread;
      for (let chunk = await more(); chunk; chunk = await more()) yield chunk;
    },
  };
}
