/** A job in the store, as far as its key describes it. */
export interface ListedJob {
  key: string;
  /** The earliest time to start it, in Unix milliseconds. */
  dueMs: number;
}

/** Prefetches the keys of the next few jobs, however many wait in the store. */
export interface JobPrefetch {
  /**
   * Returns the key of the next job that is due, which is then in flight: no other call returns it. Waits while there is none. Each
   * key that is returned must be passed to `release`, `putBack` or `ignore`.
   *
   * @returns `undefined` once the signal has aborted
   * @throws the error of the listing; a later call lists again
   */
  take(signal: AbortSignal): Promise<string | undefined>;
  /** The job is done. If its object is listed again, it is returned again. */
  release(key: string): void;
  /** The job is to be returned again, after all others that wait here. */
  putBack(key: string): void;
  /** The job is never to be returned again. */
  ignore(key: string): void;
  /** There may be new jobs in the store. */
  wake(): void;
}

export interface JobPrefetchOptions {
  /** Lists the jobs in the store in the order in which they are due. */
  list: () => AsyncIterable<ListedJob>;
  /** The most keys that wait here. */
  size: number;
  /** The longest delay of a job, in milliseconds. A job that is due later was written with a wrong clock, and is due now. */
  maxDelayMs: number;
  nowMs: () => number;
}

/** Below this share of `size` the store is listed again, so that the listing ends before the last job has started. */
const REFILL_SHARE = 0.25;

export function createJobPrefetch({ list, size, maxDelayMs, nowMs }: JobPrefetchOptions): JobPrefetch {
  const waiting: string[] = [];
  /** The keys that wait here, are in flight or are ignored: a listing does not add them again. */
  const known = new Set<string>();
  let inFlight = 0;
  /** Whether a listing could find unknown keys. */
  let mayHaveMore = true;
  /** When the first job that was not due yet will be due. */
  let nextDueMs: number | undefined;
  let filling: Promise<void> | undefined;
  const waiters = new Set<() => void>();

  async function fill(): Promise<void> {
    mayHaveMore = false;
    nextDueMs = undefined;
    try {
      for await (const { key, dueMs } of list()) {
        if (known.has(key)) continue;
        const delayMs = dueMs - nowMs();
        if (delayMs > 0 && delayMs <= maxDelayMs) {
          nextDueMs = dueMs;
          return;
        }
        if (waiting.length >= size) {
          mayHaveMore = true;
          return;
        }
        known.add(key);
        waiting.push(key);
      }
    } catch (error) {
      mayHaveMore = true;
      throw error;
    }
  }

  function startFilling(): Promise<void> {
    filling ??= fill().finally(() => {
      filling = undefined;
    });
    return filling;
  }

  /** Waits for `wake`, for the next job to be due, or for the abort. */
  async function waitForJobs(signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let onWake = () => {};
    await new Promise<void>((resolve) => {
      onWake = resolve;
      waiters.add(onWake);
      signal.addEventListener('abort', onWake, { once: true });
      if (nextDueMs !== undefined) timer = setTimeout(wake, Math.max(nextDueMs - nowMs(), 0));
    });
    waiters.delete(onWake);
    signal.removeEventListener('abort', onWake);
    clearTimeout(timer);
  }

  function wake(): void {
    mayHaveMore = true;
    for (const onWake of waiters) onWake();
  }

  /** Lists once more when all jobs are done: another process may have added some. */
  function endJob(): void {
    inFlight -= 1;
    if (inFlight === 0 && waiting.length === 0) wake();
  }

  return {
    async take(signal) {
      for (;;) {
        if (signal.aborted) return undefined;
        // If this fails, the caller that finds no key left waits for the same promise and gets its error.
        if (mayHaveMore && waiting.length <= size * REFILL_SHARE) startFilling().catch(() => undefined);
        const key = waiting.shift();
        if (key !== undefined) {
          inFlight += 1;
          return key;
        }
        await (filling ?? waitForJobs(signal));
      }
    },
    release(key) {
      known.delete(key);
      endJob();
    },
    putBack(key) {
      waiting.push(key);
      inFlight -= 1;
      wake();
    },
    ignore: endJob,
    wake,
  };
}
