import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import { EdgepressError } from '../protocol/error.ts';

/** How fast one host is asked. */
export interface HostRateLimiter {
  /**
   * Asks when it is this host's turn.
   *
   * @throws EdgepressError at once, without asking, while the host is left alone for longer than there is patience: what it said last,
   *   and when to come back; else what `ask` throws
   */
  run<T>(ask: () => Promise<T>): Promise<T>;
}

export interface HostRateLimiterOptions {
  /** How many may be asked for at once. */
  concurrency: number;
  /** How long anyone waits for a host that wants to be left alone, in milliseconds. */
  patienceMs: number;
  /** Ends all waiting: what waits then fails with its reason. */
  signal: AbortSignal;
}

/** After so many answers in a row that do not complain, one more may be asked for at once. */
const ANSWERS_TO_SPEED_UP = 10;
/** After so many in a row that time out, times what is asked for at once, a host counts as down. */
const TIMEOUTS_A_PLACE = 2;
/** How long a host that is down is left alone. */
const DOWN_SECONDS = 60;

/**
 * Paces what one host is asked: additive increase, multiplicative decrease (as TCP does, RFC 5681). An error with
 * `retryAfterSeconds`, which is how a fetcher tells of a 429 or a 503, halves what is asked for at once, and stops all that has
 * not begun until then. A host that only ever times out is left alone for a while: its images would hold up everyone else's.
 */
export function createHostRateLimiter({
  concurrency,
  patienceMs,
  signal,
}: HostRateLimiterOptions): HostRateLimiter {
  const queue = new PQueue({ concurrency: concurrency });
  let resumesAtMs = 0;
  let lastWords: EdgepressError | undefined;
  let answers = 0;
  let timeouts = 0;

  function leaveAlone(seconds: number, why: EdgepressError): void {
    answers = 0;
    queue.concurrency = Math.max(1, Math.floor(queue.concurrency / 2));
    resumesAtMs = Math.max(resumesAtMs, performance.now() + seconds * 1000);
    lastWords = why;
  }

  function noteAnswer(): void {
    timeouts = 0;
    answers++;
    if (answers % ANSWERS_TO_SPEED_UP === 0) queue.concurrency = Math.min(concurrency, queue.concurrency + 1);
  }

  function noteFailure(error: unknown): void {
    if (!(error instanceof EdgepressError)) return;
    if (error.retryAfterSeconds !== undefined) {
      leaveAlone(error.retryAfterSeconds, error);
    } else if (error.code === 'source_timeout') {
      timeouts++;
      if (timeouts % (TIMEOUTS_A_PLACE * concurrency) === 0) leaveAlone(DOWN_SECONDS, error);
    } else {
      // Whatever else is wrong with a source, its host answers.
      noteAnswer();
    }
  }

  async function waitForHost(): Promise<void> {
    // Others may be told to wait longer meanwhile.
    for (;;) {
      signal.throwIfAborted();
      const leftMs = resumesAtMs - performance.now();
      if (leftMs <= 0) return;
      if (leftMs > patienceMs && lastWords) throw leftAlone(lastWords, leftMs);
      await delay(leftMs, undefined, { signal }).catch(() => {});
    }
  }

  return {
    run: (ask) =>
      queue.add(async () => {
        await waitForHost();
        try {
          const result = await ask();
          noteAnswer();
          return result;
        } catch (error) {
          noteFailure(error);
          throw error;
        }
      }),
  };
}

function leftAlone({ code, message, cause }: EdgepressError, leftMs: number): EdgepressError {
  const retryAfterSeconds = Math.ceil(leftMs / 1000);
  return new EdgepressError(code, `${message}; it is left alone for ${retryAfterSeconds} s`, {
    retryable: true,
    retryAfterSeconds,
    cause,
  });
}
