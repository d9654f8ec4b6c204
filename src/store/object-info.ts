import type { ObjectInfo } from './store.ts';

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
