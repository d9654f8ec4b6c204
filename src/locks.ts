import { createLockTable, type LockRequest } from './lock-table.ts';

/**
 * Locks that all processes of a server share, so that together they do no work twice, and no more at a time than one process would.
 * The name of a lock says what it is for.
 */
export interface Locks {
  /**
   * Runs work once fewer than `limit` pieces of work with this name are running, in all processes.
   *
   * @param priority - of several that wait, the one with the highest goes first, then the one that came first
   * @param work - is told whether it had to wait: others may have done it meanwhile
   * @returns what the work returns
   * @throws what the work throws
   */
  run<T>(
    name: string,
    options: { limit: number; priority?: number },
    work: (hasWaited: boolean) => Promise<T>,
  ): Promise<T>;
}

/** Returns locks within this process. */
export function createLocks(): Locks {
  const table = createLockTable<'self'>((_owner, id, hasWaited) => client.granted(id, hasWaited));
  const client = createLockClient({
    acquire: (request) => table.acquire('self', request),
    release: (id) => table.release('self', id),
  });
  return client.locks;
}

/** Locks of a table that is elsewhere. */
export interface LockClient {
  locks: Locks;
  /** To be called when the table grants a request. */
  granted(id: number, hasWaited: boolean): void;
}

/** @param table - takes the requests of this owner, and calls `granted` at once or later */
export function createLockClient(table: {
  acquire(request: LockRequest): void;
  release(id: number): void;
}): LockClient {
  const waiting = new Map<number, (hasWaited: boolean) => void>();
  let lastId = 0;
  return {
    locks: {
      async run(name, { limit, priority = 0 }, work) {
        const id = ++lastId;
        const hasWaited = await new Promise<boolean>((resolve) => {
          waiting.set(id, resolve);
          table.acquire({ id, name, limit, priority });
        });
        try {
          return await work(hasWaited);
        } finally {
          table.release(id);
        }
      },
    },
    granted(id, hasWaited) {
      waiting.get(id)?.(hasWaited);
      waiting.delete(id);
    },
  };
}
