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
  /** Removes the object; nothing happens when it is not there. */
  delete(key: string): Promise<void>;
}
