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
}

/**
 * The port for the place where variants, records and manifests live. A key is a relative path. Its segments consist of
 * `A-Z a-z 0-9 . _ ~ -` and are neither `.` nor `..`; every method throws a `TypeError` for any other key, since keys are made by
 * this program. A reader gets a whole object with its own metadata, or none. A miss is `undefined`; only faults throw. Every
 * operation sees the effects of all operations that completed before it started.
 */
export interface VariantStore {
  get(key: string): Promise<StoredObject | undefined>;
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
   */
  list(folder: string): AsyncIterable<ListedObject>;
}
