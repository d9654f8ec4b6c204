import { createLockTable, type LockRequest } from './lock-table.ts';

/**
 * Locks that all processes of a server share, so that together they do no work twice, and no more at a time than one process would.
 * The name of a lock says what it is for.
 */
export interface Locks {
  /**
   * Runs work once fewer than `limit` pieces of work with this name are running, in all processes.
   *
   * @param work - is told whether it had to wait: others may have done it meanwhile
   * @returns what the work returns
   * @throws what the work throws; or the reason of the signal, if it aborts before the work has begun
   */
  run<T>(name: string, options: LockOptions, work: (hasWaited: boolean) => Promise<T>): Promise<T>;
}

export interface LockOptions extends Pick<LockRequest, 'limit' | 'share' | 'yields'> {
  /** Of several that wait, the one with the highest goes first, then the one that came first. Default: 0. */
  priority?: number;
  /** Ends the wait, not the work. */
  signal?: AbortSignal | undefined;
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

/** @param table - takes the requests of this owner, and calls `granted` at once or later; `release` withdraws a request, too */
export function createLockClient(table: {
  acquire(request: LockRequest): void;
  release(id: number): void;
}): LockClient {
  const waiting = new Map<number, (hasWaited: boolean) => void>();
  let lastId = 0;

  /** Resolves when the lock is granted, with whether it had to wait. */
  function wait(request: LockRequest, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const withdraw = () => {
        waiting.delete(request.id);
        table.release(request.id);
        reject(signal?.reason);
      };
      waiting.set(request.id, (hasWaited) => {
        signal?.removeEventListener('abort', withdraw);
        resolve(hasWaited);
      });
      signal?.addEventListener('abort', withdraw, { once: true });
      table.acquire(request);
    });
  }

  return {
    locks: {
      async run(name, { priority = 0, signal, ...options }, work) {
        signal?.throwIfAborted();
        const id = ++lastId;
        const hasWaited = await wait({ id, name, priority, ...options }, signal);
        try {
          signal?.throwIfAborted();
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
