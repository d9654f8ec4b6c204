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

/** What a prefetch knows about the store. */
interface PrefetchState {
  /** The keys to return next. */
  waiting: string[];
  /** The keys that wait here, are in flight or are ignored: a listing does not add them again. */
  known: Set<string>;
  /** Whether a listing could find unknown keys. */
  mayHaveMore: boolean;
  /** When the first job that was not due yet will be due. */
  nextDueMs: number | undefined;
}

export function createJobPrefetch(options: JobPrefetchOptions): JobPrefetch {
  const { size, nowMs } = options;
  const state: PrefetchState = { waiting: [], known: new Set(), mayHaveMore: true, nextDueMs: undefined };
  const { waiting } = state;
  const waiters = createWaiters();
  let inFlight = 0;
  let filling: Promise<void> | undefined;

  function startFilling(): Promise<void> {
    filling ??= fill(state, options).finally(() => {
      filling = undefined;
    });
    return filling;
  }

  function wake(): void {
    state.mayHaveMore = true;
    waiters.wakeAll();
  }

  /** Waits for `wake`, for the next job to be due, or for the abort. */
  async function waitForJobs(signal: AbortSignal): Promise<void> {
    const { nextDueMs } = state;
    const timer = nextDueMs === undefined ? undefined : setTimeout(wake, Math.max(nextDueMs - nowMs(), 0));
    await waiters.wait(signal);
    clearTimeout(timer);
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
        if (state.mayHaveMore && waiting.length <= size * REFILL_SHARE) startFilling().catch(() => undefined);
        const key = waiting.shift();
        if (key !== undefined) {
          inFlight += 1;
          return key;
        }
        await (filling ?? waitForJobs(signal));
      }
    },
    release(key) {
      state.known.delete(key);
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

/** Lists the store, and adds the keys of jobs that are due, up to `size`. */
async function fill(
  state: PrefetchState,
  { list, size, maxDelayMs, nowMs }: JobPrefetchOptions,
): Promise<void> {
  state.mayHaveMore = false;
  state.nextDueMs = undefined;
  try {
    for await (const { key, dueMs } of list()) {
      if (state.known.has(key)) continue;
      const delayMs = dueMs - nowMs();
      if (delayMs > 0 && delayMs <= maxDelayMs) {
        state.nextDueMs = dueMs;
        return;
      }
      if (state.waiting.length >= size) {
        state.mayHaveMore = true;
        return;
      }
      state.known.add(key);
      state.waiting.push(key);
    }
  } catch (error) {
    state.mayHaveMore = true;
    throw error;
  }
}

/** Callers that wait until they are woken. */
function createWaiters() {
  const waiters = new Set<() => void>();
  return {
    wakeAll(): void {
      for (const onWake of waiters) onWake();
    },
    /** Resolves at the next `wakeAll`, or when the signal aborts. */
    async wait(signal: AbortSignal): Promise<void> {
      let onWake = () => {};
      await new Promise<void>((resolve) => {
        onWake = resolve;
        waiters.add(onWake);
        signal.addEventListener('abort', onWake, { once: true });
      });
      waiters.delete(onWake);
      signal.removeEventListener('abort', onWake);
    },
  };
}
