import PQueue from 'p-queue';
import { sleep } from '../backoff.ts';
import { EdgepressError } from '../protocol/error.ts';
import { hostRefusal, isHostRefusal } from './host-breakers.ts';

/** Limits the concurrency of requests to one host. */
export interface HostRateLimiter {
  /**
   * Sends a request once the host has a free place and no pause.
   *
   * @throws what `request` throws; or the last error of the host, without a request, if its pause is longer than `maxWaitMs`; or the
   *   reason of the abort signal
   */
  run<T>(request: () => Promise<T>): Promise<T>;
}

export interface HostRateLimiterOptions {
  /** The maximum number of concurrent requests. */
  concurrency: number;
  /** The longest wait for the end of a pause, in milliseconds. */
  maxWaitMs: number;
  /** Ends all waits, which then throw its reason. */
  signal: AbortSignal;
}

/** After this many responses without a complaint, the concurrency grows by one. */
const RESPONSES_TO_SPEED_UP = 10;

/**
 * Creates a rate limiter for one host by additive increase, multiplicative decrease (AIMD, as TCP does: RFC 5681). An error with
 * `retryAfterSeconds`, which stands for a 429 or a 503, halves the concurrency and pauses requests that have not started. While the circuit
 * breaker refuses requests to a host, they are paused as well.
 */
export function createHostRateLimiter({
  concurrency,
  maxWaitMs,
  signal,
}: HostRateLimiterOptions): HostRateLimiter {
  const queue = new PQueue({ concurrency });
  const pause = createPause(maxWaitMs, signal);
  let responses = 0;

  function countResponse(): void {
    responses++;
    if (responses % RESPONSES_TO_SPEED_UP === 0)
      queue.concurrency = Math.min(concurrency, queue.concurrency + 1);
  }

  function countFailure(error: unknown): void {
    if (!(error instanceof EdgepressError)) return;
    const { retryAfterSeconds } = error;
    if (retryAfterSeconds === undefined) {
      // Any other error of the source means that its host responds, or is counted by its circuit breaker.
      countResponse();
    } else if (isHostRefusal(error)) {
      // A longer one is left to the circuit breaker, which may close earlier.
      if (retryAfterSeconds * 1000 <= maxWaitMs) pause.extend(retryAfterSeconds, error);
    } else {
      responses = 0;
      queue.concurrency = Math.max(1, Math.floor(queue.concurrency / 2));
      pause.extend(retryAfterSeconds, error);
    }
  }

  return {
    run: (request) =>
      queue.add(async () => {
        await pause.wait();
        try {
          const result = await request();
          countResponse();
          return result;
        } catch (error) {
          countFailure(error);
          throw error;
        }
      }),
  };
}

/** A time in which no request is started. */
interface Pause {
  /** Extends the pause until so many seconds from now; never shortens it. */
  extend(seconds: number, reason: EdgepressError): void;
  /**
   * Resolves at the end of the pause.
   *
   * @throws EdgepressError the refusal of the host, if the end of the pause is further away than the longest wait
   * @throws the reason of the abort signal
   */
  wait(): Promise<void>;
}

function createPause(maxWaitMs: number, signal: AbortSignal): Pause {
  let resumesAtMs = 0;
  let lastReason: EdgepressError | undefined;
  return {
    extend(seconds, reason) {
      resumesAtMs = Math.max(resumesAtMs, performance.now() + seconds * 1000);
      lastReason = reason;
    },
    async wait() {
      // A loop, since another response may extend the pause meanwhile.
      for (;;) {
        signal.throwIfAborted();
        const leftMs = resumesAtMs - performance.now();
        if (leftMs <= 0) return;
        if (leftMs > maxWaitMs && lastReason) throw hostRefusal(lastReason, leftMs);
        await sleep(leftMs, signal);
      }
    },
  };
}
