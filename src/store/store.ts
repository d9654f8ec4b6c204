/** What is said of an object when it is put. */
export interface ObjectInfo {
  contentType: string;
  /** The `Cache-Control` that the object is served with, where it is served at all. */
  cacheControl?: string;
  /**
   * Names are words of `a-z 0-9` joined by single dashes; values printable ASCII without a space at either end, since S3
   * carries them in headers; at most 2,048 bytes in all.
   */
  metadata?: Readonly<Record<string, string>>;
}

/** What is known of an object that is there. */
export interface StoredInfo {
  contentType: string;
  cacheControl: string | undefined;
  metadata: Readonly<Record<string, string>>;
  /** The quoted MD5 of the bytes, as S3 gives it. */
  etag: string;
  /** The length of the body. */
  bytes: number;
}

export interface StoredObject extends StoredInfo {
  /** Shared with other readers: not to be written to. */
  body: Uint8Array<ArrayBuffer>;
}

/** What a listing tells of an object. */
export interface ListedObject {
  key: string;
  /** What it takes in the store: about the length of its body. */
  bytes: number;
  /** When it was put, by the store's clock, in Unix milliseconds. S3 tells whole seconds: up to one too early. */
  modifiedMs: number;
}

/**
 * Where variants and records live. Keys are relative paths whose segments are made of `A-Z a-z 0-9 . _ ~ -` and are
 * neither `.` nor `..`; anything else is refused with a `TypeError`, since no key comes from a user unchecked.
 * A reader sees a whole object with its own metadata, or none. A miss is `undefined`; only faults throw.
 */
export interface VariantStore {
  get(key: string): Promise<StoredObject | undefined>;
  head(key: string): Promise<StoredInfo | undefined>;
  /** Stores the object in place of whatever was there. Returns its ETag. */
  put(key: string, body: Uint8Array, info: ObjectInfo): Promise<{ etag: string }>;
  /**
   * Stores the object in place of the one that has this ETag, and of no other. Returns its ETag, or `undefined` when something else
   * is there, or nothing.
   */
  replace(
    key: string,
    etag: string,
    body: Uint8Array,
    info: ObjectInfo,
  ): Promise<{ etag: string } | undefined>;
  /**
   * Removes the objects, however many; what is not there is none of its business. When it throws, some may be gone; a key that
   * is refused leaves all where they are.
   */
  delete(keys: readonly string[]): Promise<void>;
  /**
   * Everything below a folder, such as `v1/ab/unit-1`, in the order of the keys' bytes; what cannot be read is listed all the
   * same. An object that is put or removed meanwhile may be listed or not.
   *
   * @param folder - a key's first segments, without a slash at the end: of `a/b`, the objects `a/b/…` and never `a/bc`
   */
  list(folder: string): AsyncIterable<ListedObject>;
}
