import { EdgepressError } from '../error.ts';

/**
 * Runs a piece of work that may take so long and no longer, whether it listens to its signal or not: a DNS query, or a
 * request that waits for a connection of the pool, does not.
 *
 * @param timeoutMs - for the whole of it
 * @param from - whom we waited for, for the message
 * @throws EdgepressError `source_timeout`, retryable, once the time is over; else whatever the work throws
 */
export async function withDeadline<T>(
  timeoutMs: number,
  from: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = timedOut(from, `no complete answer within ${timeoutMs} ms`);
      reject(error);
      controller.abort(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}

/** The one form of `source_timeout`. */
export function timedOut(from: string, reason: string, cause?: unknown): EdgepressError {
  return new EdgepressError('source_timeout', `${from}: ${reason}`, { retryable: true, cause });
}
