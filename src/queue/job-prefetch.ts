/** A job in the store, as its key tells of it. */
export interface WaitingJob {
  key: string;
  /** Not to be done before: Unix milliseconds. */
  dueMs: number;
}

/** The next few of the jobs that wait, however many those are. */
export interface JobPrefetch {
  /**
   * Hands out the next key, which is then in hand: no one else gets it. Waits while there is none that is due.
   *
   * @returns `undefined` once the signal has aborted
   * @throws the fault of the listing: ask again later
   */
  take(signal: AbortSignal): Promise<string | undefined>;
  /** What was handed out is done with: should it still be there, it is handed out again. */
  release(key: string): void;
  /** What was handed out is to be handed out again, after all others. */
  putBack(key: string): void;
  /** What was handed out is never to be handed out again. */
  ignore(key: string): void;
  /** Something new may be there. */
  wake(): void;
}

export interface JobPrefetchOptions {
  /** The jobs that wait, the one that is due first first. */
  list: () => AsyncIterable<WaitingJob>;
  /** How many keys it holds. */
  size: number;
  /** How long a job may have to wait at most, in milliseconds: what claims to be due later was named by a wrong clock. */
  maxWaitMs: number;
  nowMs: () => number;
}

/** The share of the window below which it is filled again: the listing is to be over before there is nothing left to do. */
const LOW_SHARE = 0.25;

export function createJobPrefetch({ list, size, maxWaitMs, nowMs }: JobPrefetchOptions): JobPrefetch {
  const waiting: string[] = [];
  /** What waits here, is in hand, or is to be ignored: no listing adds it again. */
  const known = new Set<string>();
  let inHand = 0;
  /** Whether a listing could find what is not known. */
  let more = true;
  /** When the first of those that were not due yet will be. */
  let nextDueMs: number | undefined;
  let filling: Promise<void> | undefined;
  const sleepers = new Set<() => void>();

  async function fill(): Promise<void> {
    more = false;
    nextDueMs = undefined;
    try {
      for await (const { key, dueMs } of list()) {
        if (known.has(key)) continue;
        const waitMs = dueMs - nowMs();
        if (waitMs > 0 && waitMs <= maxWaitMs) {
          nextDueMs = dueMs;
          return;
        }
        if (waiting.length >= size) {
          more = true;
          return;
        }
        known.add(key);
        waiting.push(key);
      }
    } catch (fault) {
      more = true;
      throw fault;
    }
  }

  function startFilling(): Promise<void> {
    filling ??= fill().finally(() => {
      filling = undefined;
    });
    return filling;
  }

  async function sleep(signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let wakeUp = () => {};
    await new Promise<void>((resolve) => {
      wakeUp = resolve;
      sleepers.add(wakeUp);
      signal.addEventListener('abort', wakeUp, { once: true });
      if (nextDueMs !== undefined) {
        timer = setTimeout(wake, Math.max(nextDueMs - nowMs(), 0));
      }
    });
    sleepers.delete(wakeUp);
    signal.removeEventListener('abort', wakeUp);
    clearTimeout(timer);
  }

  function wake(): void {
    more = true;
    for (const wakeUp of sleepers) wakeUp();
  }

  /** Looks once more when all is done: another process may have put something there. */
  function letGo(): void {
    inHand -= 1;
    if (inHand === 0 && waiting.length === 0) wake();
  }

  return {
    async take(signal) {
      for (;;) {
        if (signal.aborted) return undefined;
        // Whoever finds nothing left to do waits for the listing, and hears of its fault.
        if (more && waiting.length <= size * LOW_SHARE) startFilling().catch(() => undefined);
        const key = waiting.shift();
        if (key !== undefined) {
          inHand += 1;
          return key;
        }
        await (filling ?? sleep(signal));
      }
    },
    release(key) {
      known.delete(key);
      letGo();
    },
    putBack(key) {
      waiting.push(key);
      inHand -= 1;
      wake();
    },
    ignore: letGo,
    wake,
  };
}
