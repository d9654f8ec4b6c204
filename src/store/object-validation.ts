import type { ObjectInfo } from './store.ts';

/** The file store's folder for temp files. No key may start with it, in any store, or the stores would differ. */
export const TEMP_FOLDER = '.tmp';

/** S3's limit. */
const MAX_KEY_LENGTH = 1024;
/** File systems limit a name to 255 bytes. */
const SEGMENT = /^[A-Za-z0-9._~-]{1,255}$/;

/**
 * Whether a key means the same in every store and cannot leave the store's folder: relative, at most 1,024 characters, its
 * segments 1 to 255 of `A-Z a-z 0-9 . _ ~ -`, none of them `.` or `..`, the first not `.tmp`.
 */
export function isObjectKey(key: string): boolean {
  const segments = key.split('/');
  return (
    key.length <= MAX_KEY_LENGTH &&
    segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..') &&
    // Some file systems ignore case.
    segments[0]?.toLowerCase() !== TEMP_FOLDER
  );
}

/** @throws TypeError when `key` is not a key: this program makes all keys, so that is a bug */
export function assertObjectKey(key: string): void {
  if (!isObjectKey(key)) throw new TypeError(`not a key of the store: ${JSON.stringify(key)}`);
}

/** @throws TypeError when `folder` is not one or more of a key's first segments, which has the same syntax as a key */
export function assertFolder(folder: string): void {
  if (!isObjectKey(folder)) throw new TypeError(`not a folder of the store: ${JSON.stringify(folder)}`);
}

/** S3's limit on user-defined metadata: names and values together, in bytes. */
const MAX_METADATA_BYTES = 2048;
/** No underscore: gateways that turn headers into variables cannot tell it from a dash. */
const METADATA_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Printable ASCII. Headers lose spaces at their ends. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * Checks that S3 could carry this in headers and return it unchanged. Every store checks it, so that what works in a folder also
 * works in a bucket.
 *
 * @throws TypeError that names the invalid part
 */
export function assertObjectInfo(info: ObjectInfo): void {
  assertHeaderValue('contentType', info.contentType);
  if (info.cacheControl !== undefined) assertHeaderValue('cacheControl', info.cacheControl);
  let bytes = 0;
  for (const [name, value] of Object.entries(info.metadata ?? {})) {
    if (!METADATA_NAME.test(name)) throw new TypeError(`not a metadata name: ${JSON.stringify(name)}`);
    if (value !== '') assertHeaderValue(`metadata.${name}`, value);
    bytes += name.length + value.length;
  }
  if (bytes > MAX_METADATA_BYTES) {
    throw new TypeError(`${bytes} bytes of metadata: S3 carries at most ${MAX_METADATA_BYTES}`);
  }
}

function assertHeaderValue(name: string, value: string): void {
  if (!HEADER_VALUE.test(value)) throw new TypeError(`not a header value: ${name} ${JSON.stringify(value)}`);
}
