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

function decodeGzip(bytes: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
  return promisify(gunzip)(bytes, { maxOutputLength });
}

/** `deflate` means the zlib format (RFC 9110, section 8.4.1.2), but some servers send the bare deflate data. */
function decodeDeflate(bytes: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
  const [first = 0, second = 0] = bytes;
  // The two bytes of a zlib header: the method, and a check sum over both (RFC 1950, section 2.2).
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  return promisify(isZlib ? inflate : inflateRaw)(bytes, { maxOutputLength });
}
