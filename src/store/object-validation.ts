import type { ObjectInfo } from './store.ts';

/** Where the file store keeps what is not an object yet. No key may lie in there, in any store, or the two would differ. */
export const TEMP_FOLDER = '.tmp';

/** S3's bound on a key. */
const MAX_KEY_LENGTH = 1024;
/** The bound that file systems put on a name is 255 bytes. */
const SEGMENT = /^[A-Za-z0-9._~-]{1,255}$/;

/**
 * Whether a key means the same to every store, and cannot leave the folder of one: relative, at most 1,024 characters, its
 * segments 1 to 255 of `A-Z a-z 0-9 . _ ~ -`, none `.` or `..`, the first not `.tmp`.
 */
export function isObjectKey(key: string): boolean {
  const segments = key.split('/');
  return (
    key.length <= MAX_KEY_LENGTH &&
    segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..') &&
    // A file system may ignore case.
    segments[0]?.toLowerCase() !== TEMP_FOLDER
  );
}

/** @throws TypeError when `key` is none: keys are made by this program, so a bad one is a bug */
export function assertObjectKey(key: string): void {
  if (!isObjectKey(key)) throw new TypeError(`not a key of the store: ${JSON.stringify(key)}`);
}

/**
 * Refuses what is no folder of keys: one or more of a key's first segments, and so shaped as a key itself.
 *
 * @throws TypeError
 */
export function assertFolder(folder: string): void {
  if (!isObjectKey(folder)) throw new TypeError(`not a folder of the store: ${JSON.stringify(folder)}`);
}

/** S3's bound on the metadata that a user sets: names and values together, in bytes. */
const MAX_METADATA_BYTES = 2048;
/** No underscore: gateways that turn headers into variables cannot tell it from a dash. */
const METADATA_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Printable ASCII. Headers lose space at their ends. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * Refuses what S3 could not carry in a header and give back unchanged, in every store, so that what works in a folder works in
 * a bucket.
 *
 * @throws TypeError naming the part that is to blame
 */
export function assertObjectInfo(info: ObjectInfo): void {
  assertValue('contentType', info.contentType);
  if (info.cacheControl !== undefined) assertValue('cacheControl', info.cacheControl);
  let bytes = 0;
  for (const [name, value] of Object.entries(info.metadata ?? {})) {
    if (!METADATA_NAME.test(name)) throw new TypeError(`not a name of metadata: ${JSON.stringify(name)}`);
    if (value !== '') assertValue(`metadata.${name}`, value);
    bytes += name.length + value.length;
  }
  if (bytes > MAX_METADATA_BYTES) {
    throw new TypeError(`metadata of ${bytes} bytes: S3 carries ${MAX_METADATA_BYTES}`);
  }
}

function assertValue(name: string, value: string): void {
  if (!HEADER_VALUE.test(value))
    throw new TypeError(`not a value for a header: ${name} ${JSON.stringify(value)}`);
}
