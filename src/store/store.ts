/** What a caller says about an object that it stores. */
export interface ObjectInfo {
  contentType: string;
  /** The `Cache-Control` header to serve the object with. */
  cacheControl?: string;
  /**
   * Names are words of `a-z 0-9` joined by single dashes; values are printable ASCII without a space at either end, since S3
   * carries them in headers; at most 2,048 bytes in all.
   */
  metadata?: Readonly<Record<string, string>>;
}

/** What the store knows about an object. */
export interface StoredInfo {
  contentType: string;
  cacheControl: string | undefined;
  metadata: Readonly<Record<string, string>>;
  /** The quoted MD5 of the body, as S3 gives it. */
  etag: string;
  /** The length of the body. */
  bytes: number;
  /**
   * When the object was stored, by the store's clock, in Unix milliseconds; S3 gives whole seconds. `undefined` for an object that does not
   * come from a store.
   */
  modifiedMs?: number | undefined;
}

export interface StoredObject extends StoredInfo {
  /** Shared between readers: do not write to it. */
  body: Uint8Array<ArrayBuffer>;
}

/** What a listing says about an object. */
export interface ListedObject {
  key: string;
  /** The size in the store: about the length of the body. */
  bytes: number;
  /** When the object was stored, by the store's clock, in Unix milliseconds. S3 gives whole seconds: up to one second too early. */
  modifiedMs: number;
  /** The ETag, where a listing costs no more with it: in S3. */
  etag?: string | undefined;
}

/**
 * The port for the place where variants, records and manifests live. A key is a relative path. Its segments consist of
 * `A-Z a-z 0-9 . _ ~ -` and are neither `.` nor `..`; every method throws a `TypeError` for any other key, since keys are made by
 * this program. A reader gets a whole object with its own metadata, or none. A miss is `undefined`; only faults throw. Every
 * operation sees the effects of all operations that completed before it started.
 */
export interface VariantStore {
  get(key: string): Promise<StoredObject | undefined>;
  /**
   * Returns the object at a key, as `get` does, if that needs no waiting: it is in memory, and still the one that is stored. Absent where
   * nothing is kept in memory.
   */
  peek?(key: string): StoredObject | undefined;
  head(key: string): Promise<StoredInfo | undefined>;
  /** Stores an object, in place of any other at this key. Returns its ETag. */
  put(key: string, body: Uint8Array, info: ObjectInfo): Promise<{ etag: string }>;
  /**
   * Compare and swap: stores an object only if the one at this key has the given ETag.
   *
   * @param etag - the ETag of the object to replace; `undefined`: store it only if there is no object at this key
   * @returns the new ETag; `undefined` when it was not stored, because the condition was not met or another writer was faster
   */
  replace(
    key: string,
    etag: string | undefined,
    body: Uint8Array,
    info: ObjectInfo,
  ): Promise<{ etag: string } | undefined>;
  /**
   * Removes any number of objects. A key without an object is no error. When it throws, some of the objects may have been removed;
   * after a `TypeError` none has.
   */
  delete(keys: readonly string[]): Promise<void>;
  /**
   * Removes an object if it has this ETag, and leaves any other object at this key. An S3 server that does not know conditional
   * deletes (Ceph before version 20) ignores the condition.
   *
   * @param etag - `undefined`: remove only what is damaged, which `get` does not return
   */
  deleteIfMatch(key: string, etag: string | undefined): Promise<void>;
  /**
   * Lists all objects below a folder, in the order of the keys' bytes, damaged ones included. An object that is stored or removed
   * meanwhile may be listed or not.
   *
   * @param folder - the first segments of a key, such as `v1/ab/unit-1`, without a slash at the end: `a/b` lists `a/b/…` and never
   *   `a/bc`
   * @param after - only keys after this one, which is in the folder: those before it are not read
   */
  list(folder: string, after?: string): AsyncIterable<ListedObject>;
  /** Throws unless objects can be stored. Absent where any answer shows that the store works. */
  assertWritable?(): void;
  /** Keeps the store within its limits. Absent where the store does that by itself: S3 has lifecycle rules. */
  upkeep?: StoreUpkeep;
}

/** Keeps a store within its limits: for one process of those that share the store. More than one do no harm. */
export interface StoreUpkeep {
  /**
   * Works in the background until the signal aborts.
   *
   * @param onError - called with each fault that keeps a part of the store from being looked at
   */
  run(signal: AbortSignal, onError: (error: unknown) => void): Promise<void>;
  /** What the store has, about; `undefined` until `run` has looked at all of it. */
  usage(): { objects: number; bytes: number } | undefined;
  /** What was removed so far, because of the limit on the size or on the age. */
  removed(): Readonly<Record<'size' | 'age', Readonly<{ objects: number; bytes: number }>>>;
  /** The limit on the size, if there is one. */
  maxBytes: number | undefined;
  /** Returns how many bytes the file system has left. */
  freeBytes(): number;
}

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

/** Whether an error means that there is no space left for what is to be stored: on the disk, in the quota, or in a server for S3. */
export function isOutOfSpace(error: unknown): boolean {
  const { code, $metadata } = error as NodeJS.ErrnoException & { $metadata?: { httpStatusCode?: number } };
  return code === 'ENOSPC' || code === 'EDQUOT' || $metadata?.httpStatusCode === INSUFFICIENT_STORAGE;
}

/** RFC 4918, section 11.5. */
const INSUFFICIENT_STORAGE = 507;
