import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';

type Decode = (bytes: Uint8Array, maxBytes: number) => Promise<Uint8Array>;

/** Names that say nothing was done to the bytes. `aws-chunked` is left in the metadata of S3 objects by chunked uploads. */
const NO_CODINGS = new Set(['', 'identity', 'aws-chunked']);

const DECODERS: ReadonlyMap<string, Decode> = new Map([
  ['gzip', decodeGzip],
  ['x-gzip', decodeGzip],
  ['deflate', decodeDeflate],
  ['br', (bytes, maxOutputLength) => promisify(brotliDecompress)(bytes, { maxOutputLength })],
]);

/** Nobody applies more; each one costs up to the whole limit of a body. */
const MAX_CODINGS = 4;

/**
 * Returns the decoders to apply to a body, the first one first.
 *
 * As the Fetch standard says, a body whose list names anything else than a known coding is taken as it is: servers send `base64`, `utf-8`,
 * `binary` or `none` with bytes that nothing was done to.
 *
 * @param header - the `Content-Encoding`, a list in the order in which the codings were applied
 */
export function decodersFor(header: string | undefined): readonly Decode[] {
  const codings = (header ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => !NO_CODINGS.has(coding));
  const decoders = codings.map((coding) => DECODERS.get(coding));
  const areKnown = decoders.length <= MAX_CODINGS && decoders.every((decoder) => decoder !== undefined);
  return areKnown ? decoders.reverse() : [];
}

/** Ignores what follows the compressed bytes, such as a line break that a script has printed, as browsers do and zlib's other decoders. */
async function decodeGzip(bytes: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw error;
    const end = await endOfGzip(bytes, maxOutputLength);
    if (end === undefined || end >= bytes.length) throw error;
    return await promisify(gunzip)(bytes.subarray(0, end), { maxOutputLength });
  }
}

const GZIP_HEADER_BYTES = 10;
/** The check sum and the length of the data (RFC 1952, section 2.3.1). */
const GZIP_TRAILER_BYTES = 8;

/** Returns where the first member of a gzip file ends; `undefined` if its data do not end. */
async function endOfGzip(bytes: Uint8Array, maxOutputLength: number): Promise<number | undefined> {
  const start = startOfGzipData(bytes);
  if (start === undefined) return undefined;
  // The declared types leave out what `info` changes.
  type Info = { engine: { bytesWritten: number } };
  const inflated = promisify(inflateRaw)(bytes.subarray(start), { maxOutputLength, info: true });
  const info = (await inflated.catch(() => undefined)) as Info | undefined;
  return info && start + info.engine.bytesWritten + GZIP_TRAILER_BYTES;
}

/** Returns where the compressed data of a gzip file start (RFC 1952, section 2.3); `undefined` if it is none. */
function startOfGzipData(bytes: Uint8Array): number | undefined {
  const [first, second, method, flags = 0] = bytes;
  if (first !== 0x1f || second !== 0x8b || method !== 8) return undefined;
  let at = GZIP_HEADER_BYTES;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  // A name and a comment, each up to a NUL.
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  return flags & 2 ? at + 2 : at;
}

/** `deflate` means the zlib format (RFC 9110, section 8.4.1.2), but some servers send the bare deflate data. */
function decodeDeflate(bytes: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
  const [first = 0, second = 0] = bytes;
  // The two bytes of a zlib header: the method, and a check sum over both (RFC 1950, section 2.2).
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  return promisify(isZlib ? inflate : inflateRaw)(bytes, { maxOutputLength });
}
