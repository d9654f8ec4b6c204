import type { ObjectInfo, StoredInfo, StoredObject, VariantStore } from './store.ts';

/** A store that never throws: a viewer gets the image even when the store fails. */
export interface BestEffortStore {
  /** Returns the object, or `undefined` when there is none or it cannot be read. */
  get(key: string): Promise<StoredObject | undefined>;
  /** Returns the object, if it is in memory and still the one that is stored. */
  peek(key: string): StoredObject | undefined;
  /** Returns what is known about the object, or `undefined` when there is none or it cannot be read. */
  head(key: string): Promise<StoredInfo | undefined>;
  /** Returns the ETag, or `undefined` when the object could not be stored; then `onFault` is called with the error. */
  put(
    key: string,
    body: Uint8Array,
    info: ObjectInfo,
    onFault?: OnFault,
  ): Promise<{ etag: string } | undefined>;
  /** The same; also returns `undefined`, without an error, when the condition was not met. */
  replace(
    key: string,
    etag: string,
    body: Uint8Array,
    info: ObjectInfo,
    onFault?: OnFault,
  ): Promise<{ etag: string } | undefined>;
  delete(keys: readonly string[]): Promise<void>;
}

type OnFault = (error: unknown) => void;

export type StoreOperation = Exclude<keyof BestEffortStore, 'peek'>;

/**
 * Wraps a store so that a failed read counts as a miss, and a failed write only calls `onError`.
 *
 * @param onError - called with each fault, and with the key or the space-separated keys: log and count it
 */
export function createBestEffortStore(
  store: VariantStore,
  onError: (operation: StoreOperation, key: string, error: unknown) => void,
): BestEffortStore {
  async function attempt<T>(
    operation: StoreOperation,
    key: string,
    result: Promise<T>,
    onFault: OnFault = () => {},
  ): Promise<T | undefined> {
    try {
      return await result;
    } catch (error) {
      onError(operation, key, error);
      onFault(error);
      return undefined;
    }
  }

  return {
    get: (key) => attempt('get', key, store.get(key)),
    peek: (key) => store.peek?.(key),
    head: (key) => attempt('head', key, store.head(key)),
    put: (key, body, info, onFault) => attempt('put', key, store.put(key, body, info), onFault),
    replace: (key, etag, body, info, onFault) =>
      attempt('replace', key, store.replace(key, etag, body, info), onFault),
    delete: (keys) => attempt('delete', keys.join(' '), store.delete(keys)),
  };
}
