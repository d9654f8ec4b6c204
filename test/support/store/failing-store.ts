import type { VariantStore } from '../../../src/store/store.ts';

/** Message of the errors of a failing store. It must not reach any client. */
export const STORE_FAILURE = 'the disk is on fire at 10.0.0.7';

/**
 * Wraps a store so that these operations throw for keys and folders that match. `put` stands for `replace` too, and `delete` for
 * `deleteIfMatch`.
 */
export function failingStore(
  store: VariantStore,
  pattern: RegExp,
  ...operations: ('get' | 'head' | 'put' | 'delete' | 'list')[]
): VariantStore {
  const check = (operation: (typeof operations)[number], key: unknown) => {
    if (operations.includes(operation) && pattern.test(String(key))) throw new Error(STORE_FAILURE);
  };
  const checked =
    <A extends unknown[], R>(operation: (typeof operations)[number], call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      check(operation, args[0]);
      return await call(...args);
    };
  return {
    get: checked('get', store.get),
    head: checked('head', store.head),
    put: checked('put', store.put),
    replace: checked('put', store.replace),
    delete: checked('delete', store.delete),
    deleteIfMatch: checked('delete', store.deleteIfMatch),
    async *list(folder, after) {
      check('list', folder);
      yield* store.list(folder, after);
    },
  };
}

/** A store that accepts everything and keeps nothing, for tests of large requests. */
export const emptyStore: VariantStore = {
  get: async () => undefined,
  head: async () => undefined,
  put: async () => ({ etag: '"none"' }),
  replace: async () => ({ etag: '"none"' }),
  delete: async () => undefined,
  deleteIfMatch: async () => undefined,
  async *list() {},
};
