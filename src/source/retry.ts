import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { EdgepressError } from '../protocol/error.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
import { createHostRateLimiter, type HostRateLimiter } from './host-rate-limiter.ts';

/**
 * The patience of work that nobody waits for and that comes in thousands: kind to the clients' servers. Few fetches at once for a
 * host, fewer when it says 429 or 503, none until its `Retry-After` is over; what may pass by itself is tried again.
 *
 * @param attempt - fetches the source once
 * @throws EdgepressError what the last attempt threw, or at once what the source's host said before, while it is left alone
 */
export type WithRetry = <T>(src: string, attempt: () => Promise<T>) => Promise<T>;

export interface RetryOptions {
  /** Ends all waiting: what waits then fails with its reason. */
  signal: AbortSignal;
  /** Fetches at once from one host. */
  concurrencyPerHost: number;
  /** Before the second attempt, in milliseconds; it doubles for each that follows. Default 1,000. */
  retryDelayMs?: number;
  /** Default 3, the first included. */
  attempts?: number;
}

/** How long anyone waits for a host that wants to be left alone. Beyond that its images are better left to another run. */
const PATIENCE_MS = 30_000;
/** How many hosts are remembered; those asked longest ago are forgotten first. */
const MAX_HOSTS = 5000;

export function createWithRetry(options: RetryOptions): WithRetry {
  const { signal, concurrencyPerHost, retryDelayMs = 1000, attempts = 3 } = options;
  const paces = new LRUCache<string, HostRateLimiter>({ max: MAX_HOSTS });

  function paceOf(host: string): HostRateLimiter {
    const pace =
      paces.get(host) ??
      createHostRateLimiter({ concurrency: concurrencyPerHost, patienceMs: PATIENCE_MS, signal });
    paces.set(host, pace);
    return pace;
  }

  return async (src, attempt) => {
    const pace = paceOf(sourceHost(src));
    for (let number = 1; ; number++) {
      try {
        return await pace.run(attempt);
      } catch (error) {
        if (number === attempts || !mayPass(error)) throw error;
      }
      // At random by a quarter, so that those that failed together do not come back together.
      const waitMs = retryDelayMs * 2 ** (number - 1) * (1 + Math.random() / 4);
      await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  };
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof EdgepressError) || !error.retryable) return false;
  return (error.retryAfterSeconds ?? 0) * 1000 <= PATIENCE_MS;
}
