import { setTimeout as wait } from 'node:timers/promises';
import PQueue from 'p-queue';
import { EdgepressError } from '../error.ts';

/** How fast each host is asked. */
export interface HostPaces {
  /** Hands out a host's pace, which is remembered for as long as anyone uses it. */
  of<T>(host: string, use: (pace: HostPace) => Promise<T>): Promise<T>;
}

export interface HostPace {
  /** Does the work when it is this host's turn. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export interface HostPaceOptions {
  /** How much may be done at once for one host. */
  atOnce: number;
  /** The longest that a host is left alone, in milliseconds, whatever it asks for. */
  mostPauseMs: number;
  /** Ends all waiting: work that waits then fails with its reason. */
  signal: AbortSignal;
}

/** After so many answers in a row that do not complain, one more may be asked at once. */
const ANSWERS_TO_SPEED_UP = 10;

/**
 * Paces work by host: additive increase, multiplicative decrease (as TCP does, RFC 5681). An error with `retryAfterSeconds`,
 * which is how a fetcher tells of a 429 or a 503, halves what is done at once and stops all that has not begun until then.
 */
export function createHostPace(options: HostPaceOptions): HostPaces {
  const hosts = new Map<string, { pace: HostPace; users: number }>();
  return {
    async of(name, use) {
      const host = hosts.get(name) ?? { pace: createPace(options), users: 0 };
      hosts.set(name, host);
      host.users++;
      try {
        return await use(host.pace);
      } finally {
        host.users--;
        if (host.users === 0) hosts.delete(name);
      }
    },
  };
}

function createPace({ atOnce, mostPauseMs, signal }: HostPaceOptions): HostPace {
  const queue = new PQueue({ concurrency: atOnce });
  let resumesAtMs = 0;
  let answers = 0;

  function slowDown(seconds: number): void {
    answers = 0;
    queue.concurrency = Math.max(1, Math.floor(queue.concurrency / 2));
    resumesAtMs = Math.max(resumesAtMs, performance.now() + Math.min(seconds * 1000, mostPauseMs));
  }

  function speedUp(): void {
    answers++;
    if (answers % ANSWERS_TO_SPEED_UP === 0) queue.concurrency = Math.min(atOnce, queue.concurrency + 1);
  }

  return {
    run: (work) =>
      queue.add(async () => {
        // Others may be told to wait longer meanwhile.
        while (resumesAtMs > performance.now())
          await wait(resumesAtMs - performance.now(), undefined, { signal });
        signal.throwIfAborted();
        try {
          const result = await work();
          speedUp();
          return result;
        } catch (error) {
          if (error instanceof EdgepressError && error.retryAfterSeconds !== undefined)
            slowDown(error.retryAfterSeconds);
          throw error;
        }
      }),
  };
}
