import { AsyncResource } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import { backoffDelay, sleep, withJitter } from '../backoff.ts';
import { EdgepressError } from '../protocol/error.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
import { isHostRefusal } from './host-breakers.ts';
import { createHostRateLimiter, type HostRateLimiter } from './host-rate-limiter.ts';
import { isCrowded } from './host-slots.ts';

/**
 * Fetches a source with retries and a rate limit per host. It is for bulk work that no viewer waits for: it spares the clients' servers.
 * Each host gets few concurrent fetches, fewer after a 429 or 503, and none until its `Retry-After` has passed. Retryable errors are
 * retried with exponential backoff. An attempt that the circuit breaker of the host refuses is no attempt: it is made again when the host may
 * be asked.
 *
 * @param attempt - fetches the source once
 * @throws the error of the last attempt; or the refusal of the host (`isHostRefusal`), without an attempt, if it may not be asked for longer
 *   than is worth waiting; or the reason of the abort signal
 */
export type WithRetry = <T>(src: string, attempt: () => Promise<T>) => Promise<T>;

export interface RetryOptions {
  /** Ends all waits, which then throw its reason. */
  signal: AbortSignal;
  /** The number of concurrent fetches from one host. */
  concurrencyPerHost: number;
  /** The delay before the second attempt, in milliseconds; it doubles with each further one. Default 1,000. */
  retryDelayMs?: number;
  /** The maximum number of attempts, including the first. Default 3. */
  attempts?: number;
}

/** The longest wait for a host that asked for a pause. Beyond that, its images are better left to a later run. */
const MAX_HOST_WAIT_MS = 30_000;
/** The number of hosts whose rate is remembered; the least recently used are dropped first. */
const MAX_HOSTS = 5000;

/** Creates a {@link WithRetry} with a rate limiter for each host. */
export function createWithRetry(options: RetryOptions): WithRetry {
  const { signal, concurrencyPerHost, retryDelayMs = 1000, attempts = 3 } = options;
  const limiters = new LRUCache<string, HostRateLimiter>({ max: MAX_HOSTS });

  function limiterOf(host: string): HostRateLimiter {
    const limiter =
      limiters.get(host) ??
      createHostRateLimiter({ concurrency: concurrencyPerHost, maxWaitMs: MAX_HOST_WAIT_MS, signal });
    limiters.set(host, limiter);
    return limiter;
  }

  async function waitToRetry(failures: number): Promise<void> {
    await sleep(withJitter(backoffDelay(retryDelayMs, failures)), signal);
    signal.throwIfAborted();
  }

  /** Adds a failed attempt to the errors, and waits before the next one. Throws if there is to be none. */
  async function afterError(error: unknown, errors: unknown[]): Promise<void> {
    const isRefusal = isHostRefusal(error);
    if (!isRefusal) errors.push(error);
    if (errors.length === attempts || !isWorthRetrying(error)) throw errors.at(-1) ?? error;
    // Nothing was asked: it is the limiter that waits until the host may be asked.
    if (!isRefusal) await waitToRetry(errors.length);
  }

  return async (src, attempt) => {
    const limiter = limiterOf(sourceHost(src));
    const errors: unknown[] = [];
    for (;;) {
      try {
        // The limiter calls it when another request is done, but it belongs to this one.
        return await limiter.run(AsyncResource.bind(attempt));
      } catch (error) {
        await afterError(error, errors);
      }
    }
  };
}

function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof EdgepressError) || !error.retryable || isCrowded(error)) return false;
  return (error.retryAfterSeconds ?? 0) * 1000 <= MAX_HOST_WAIT_MS;
}
