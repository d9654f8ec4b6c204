import type { ObjectInfo, StoredInfo, StoredObject, VariantStore } from './store.ts';

/** A store whose faults never cost a viewer the picture. */
export interface BestEffortStore {
  /** The object, or `undefined` when it is not there or cannot be read. */
  get(key: string): Promise<StoredObject | undefined>;
  head(key: string): Promise<StoredInfo | undefined>;
  /** Its ETag, or `undefined` when it could not be stored. */
  put(key: string, body: Uint8Array, info: ObjectInfo): Promise<{ etag: string } | undefined>;
  /** Its ETag, or `undefined` when another was there, or it could not be stored. */
  replace(
    key: string,
    etag: string,
    body: Uint8Array,
    info: ObjectInfo,
  ): Promise<{ etag: string } | undefined>;
  delete(keys: readonly string[]): Promise<void>;
}

export type StoreOperation = keyof BestEffortStore;

/**
 * Wraps a store so that a read fault counts as a miss and a failed write is only reported.
 *
 * @param report - is told of every fault, with the key, or the keys with spaces between them: it logs and counts
 */
export function createBestEffortStore(
  store: VariantStore,
  report: (operation: StoreOperation, key: string, fault: unknown) => void,
): BestEffortStore {
  async function attempt<T>(
    operation: StoreOperation,
    key: string,
    work: Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await work;
    } catch (fault) {
      report(operation, key, fault);
      return undefined;
    }
  }

  return {
    get: (key) => attempt('get', key, store.get(key)),
    head: (key) => attempt('head', key, store.head(key)),
    put: (key, body, info) => attempt('put', key, store.put(key, body, info)),
    replace: (key, etag, body, info) => attempt('replace', key, store.replace(key, etag, body, info)),
    delete: (keys) => attempt('delete', keys.join(' '), store.delete(keys)),
  };
}
