import { createFileStore } from '../../../src/store/file-store.ts';
import type { VariantStore } from '../../../src/store/store.ts';

/** A point at which work is held until the test releases it. */
export interface Hold {
  /** Resolves when the work has reached this point. */
  reached: Promise<void>;
  release(): void;
}

/** Makes a hold, and the function that the work awaits at that point. */
export function createHold(): Hold & { pass: () => Promise<void> } {
  let reach = () => {};
  let release = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    reached,
    release: () => release(),
    async pass() {
      reach();
      await released;
    },
  };
}

export type StoreStep = {
  operation: 'get' | 'head' | 'put' | 'replace' | 'deleteIfMatch' | 'list';
  /** Matched with the key, or with the folder of a listing. */
  key: RegExp;
  when: 'before' | 'after';
  /** Which of the operations that match. Default: the first. */
  count?: number;
};

/** Wraps a store so that one operation that matches the step is held, before or after it takes effect. */
export function holdStore(store: VariantStore, { operation, key: pattern, when, count = 1 }: StoreStep) {
  const hold = createHold();
  let matched = 0;
  const holdAt = async (key: string, moment: 'before' | 'after') => {
    if (moment !== when || !pattern.test(key)) return;
    matched += 1;
    if (matched === count) await hold.pass();
  };
  const around = <A extends unknown[], R>(method: (key: string, ...rest: A) => Promise<R>) => {
    return async (key: string, ...rest: A): Promise<R> => {
      await holdAt(key, 'before');
      const result = await method(key, ...rest);
      await holdAt(key, 'after');
      return result;
    };
  };
  const held: VariantStore = {
    ...store,
    ...(operation === 'get' && { get: around(store.get) }),
    ...(operation === 'head' && { head: around(store.head) }),
    ...(operation === 'put' && { put: around(store.put) }),
    ...(operation === 'replace' && { replace: around(store.replace) }),
    ...(operation === 'deleteIfMatch' && { deleteIfMatch: around(store.deleteIfMatch) }),
    ...(operation === 'list' && {
      async *list(folder: string, after?: string) {
        await holdAt(folder, 'before');
        yield* store.list(folder, after);
        await holdAt(folder, 'after');
      },
    }),
  };
  return { store: held, hold };
}

/** Returns the keys of all variants, source records and manifests in the store of a folder. */
export async function keysOfUnits(folder: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of createFileStore({ root: folder }).list('v1')) keys.push(key);
  return keys;
}
