import { createFileStore } from '../../../src/store/file-store.ts';
import type { VariantStore } from '../../../src/store/store.ts';

/** Work that stops at one step until it is let go. */
export interface Hold {
  /** Resolves when the work has come to that step. */
  reached: Promise<void>;
  letGo(): void;
}

/** Makes a place to stop at, and what passes by it: only the first one stops. */
export function createHold(): Hold & { pass: () => Promise<void> } {
  let reach = () => {};
  let letGo = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return {
    reached,
    letGo: () => letGo(),
    async pass() {
      reach();
      await free;
    },
  };
}

export type StoreStep = {
  operation: 'get' | 'put' | 'list' | 'head';
  /** Matched on the key, or on the folder of a listing. */
  key: RegExp;
  when: 'before' | 'after';
};

/** A store that stops at one step. */
export function holdStore(store: VariantStore, { operation, key: wanted, when }: StoreStep) {
  const hold = createHold();
  let stopped = false;
  const stopAt = async (key: string, moment: 'before' | 'after') => {
    if (stopped || moment !== when || !wanted.test(key)) return;
    stopped = true;
    await hold.pass();
  };
  const around = <A extends unknown[], R>(does: (key: string, ...rest: A) => Promise<R>) => {
    return async (key: string, ...rest: A): Promise<R> => {
      await stopAt(key, 'before');
      const result = await does(key, ...rest);
      await stopAt(key, 'after');
      return result;
    };
  };
  const held: VariantStore = {
    ...store,
    ...(operation === 'get' && { get: around(store.get) }),
    ...(operation === 'head' && { head: around(store.head) }),
    ...(operation === 'put' && { put: around(store.put) }),
    ...(operation === 'list' && {
      async *list(folder: string) {
        await stopAt(folder, 'before');
        yield* store.list(folder);
        await stopAt(folder, 'after');
      },
    }),
  };
  return { store: held, hold };
}

/** The keys of all that is kept of units. */
export async function keysOfUnits(folder: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of createFileStore({ root: folder }).list('v1')) keys.push(key);
  return keys;
}
