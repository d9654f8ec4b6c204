import { createLocks, type Locks } from '../locks.ts';
import { EdgepressError } from '../protocol/error.ts';

/** How long a client should wait before it sends a refused request again. */
const RETRY_AFTER_SECONDS = 5;

/** The bounded queue in which variants are made. Sources on one host cannot take all of its concurrency. */
export interface WorkQueue {
  /**
   * Runs the work when its turn comes.
   *
   * @param host - host and port of the source
   * @returns what the work returns
   * @throws EdgepressError `overloaded`, immediately if the queue is full or drains; otherwise what the work throws
   */
  run<T>(host: string, work: () => Promise<T>): Promise<T>;
  /** Rejects queued and new work with `overloaded` and resolves when the work in flight is done. */
  drain(): Promise<void>;
}

export interface WorkQueueOptions {
  /**
   * How many variants are fetched or encoded at a time. More than the encoders, so that slow sources do not leave them idle; bounded,
   * because each holds a whole source in memory.
   */
  concurrency: number;
  /** How many of these may have their source on the same host, so that a host that hangs does not block all others. */
  concurrencyPerHost: number;
  /** The most work that is accepted: in flight and queued together. */
  capacity: number;
  /** Bound the work, and that on each host, of all processes of this server together; the capacity is that of this process. */
  locks?: Locks;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { concurrency, concurrencyPerHost, capacity, locks = createLocks() } = options;
  const accepted = new Set<Promise<unknown>>();
  let draining = false;

  /** Takes a permit of the host first, then one of the queue: work that waits for its host blocks nobody else. */
  function runInTurn<T>(host: string, work: () => Promise<T>): Promise<T> {
    return locks.run(`host ${host}`, { limit: concurrencyPerHost }, () =>
      locks.run('source', { limit: concurrency }, () => (draining ? Promise.reject(shuttingDown()) : work())),
    );
  }

  return {
    async run(host, work) {
      if (draining) throw shuttingDown();
      if (accepted.size >= capacity)
        throw overloaded('Too many images are being made just now: try again in a moment');
      const running = runInTurn(host, work).finally(() => accepted.delete(running));
      accepted.add(running);
      return await running;
    },
    async drain() {
      draining = true;
      await Promise.allSettled(accepted);
    },
  };
}

/** Returns the error for work that is refused because the process is about to exit. */
export function shuttingDown(): EdgepressError {
  return overloaded('The server is shutting down: try again');
}

/** Returns the `overloaded` error for a request that may succeed in a few seconds. */
export function overloaded(detail: string): EdgepressError {
  return new EdgepressError('overloaded', detail, {
    retryable: true,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/** Runs work under a key, or joins the work of this key that is in flight and shares its result or error. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>;

/** Returns a single flight: what many callers request at the same time is done once. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const inFlight = new Map<string, Promise<T>>();
  return (key, work) => {
    const flight = inFlight.get(key) ?? work().finally(() => inFlight.delete(key));
    inFlight.set(key, flight);
    return flight;
  };
}
