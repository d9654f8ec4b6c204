import {
  type CircuitBreakersOptions,
  type CircuitStatus,
  createCircuitBreakers,
  type Entry,
} from '../circuit-breaker.ts';
import { EdgepressError } from '../protocol/error.ts';
import { createHostDoubts, type Witness } from './host-doubts.ts';
import { saysHostIsDown, timeoutFailure } from './source-failure.ts';

/** Circuit breakers of the hosts of sources: requests to a host that does not answer fail at once. */
export interface HostBreakers {
  /**
   * Checks that a host is not known to be down. It takes no time, and is no leave to send a request.
   *
   * @param host - host and port, or a bucket as `s3://bucket`
   * @throws EdgepressError `source_timeout` or `source_unavailable`, as the host's last failure, with the time of the next probe; see
   *   {@link isHostRefusal}
   */
  assertReachable(host: string): void;
  /**
   * Sends a request to a host. If it ends without an answer, by an error that can be the host's fault or by the timeout, that counts against
   * the host. One that is abandoned may go on for a while, to find out whether the host answers at all.
   *
   * @param work - sends the request until its signal aborts, and calls `answered` as soon as the host has answered anything: what becomes of
   *   the answer says nothing about the host
   * @throws EdgepressError as `assertReachable`, without calling `work`; or what `work` throws; or the reason of the request's signal
   */
  run<T>(request: HostRequest, work: (signal: AbortSignal, answered: () => void) => Promise<T>): Promise<T>;
  /** Returns the hosts that are down, those that refused the most requests first. */
  list(): CircuitStatus[];
  /** Returns how many requests were refused, for all hosts together. */
  refusals(): number;
}

export interface HostRequest {
  /** Host and port, or a bucket as `s3://bucket`. */
  host: string;
  /** Which resource of the host it is for. */
  resource: string;
  /** Ends the request: with `source_timeout` when the host was too slow, with any other reason when that is not the host's fault. */
  signal: AbortSignal;
  /** Has aborted too if nobody waits for the request any more. */
  abandoned?: AbortSignal | undefined;
  /** The time that a host gets for a whole fetch, in milliseconds. */
  timeoutMs: number;
}

/**
 * In a simulation of a host of which no request is answered, lower thresholds save few of the requests that wait for the timeout, 19 instead
 * of 21 in two minutes with one request a second. Of a host that fails half of the time, 3 refuses half of the good requests, and 5 refuses
 * 6%.
 */
const FAILURES_TO_OPEN = 5;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;
/** Part of its time that a request must have had before it says anything that it was given up unanswered. */
const LEAST_WAIT = 0.1;

/** Marks an error as a refusal: nothing was asked of the host. */
class HostRefusal extends Error {
  override readonly name = 'HostRefusal';
}

/** Whether an error means that a source was not asked for, because its host is known to be down: nothing is known of the source itself. */
export function isHostRefusal(error: unknown): error is EdgepressError {
  return error instanceof EdgepressError && error.cause instanceof HostRefusal;
}

/**
 * Returns the error for a source that is not asked for, because of an earlier failure of its host.
 *
 * @param last - the failure of the host
 * @param retryAfterMs - when the host may be asked again, in milliseconds from now
 */
export function hostRefusal({ code, message }: EdgepressError, retryAfterMs: number): EdgepressError {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const detail = `${message}; no further requests to its host for ${retryAfterSeconds} s`;
  return new EdgepressError(code, detail, {
    retryable: true,
    retryAfterSeconds,
    cause: new HostRefusal(message),
  });
}

export function createHostBreakers(
  options: Pick<CircuitBreakersOptions, 'onChange' | 'nowMs'> = {},
): HostBreakers {
  const circuits = createCircuitBreakers({
    threshold: FAILURES_TO_OPEN,
    firstDelayMs: FIRST_DELAY_MS,
    maxDelayMs: MAX_DELAY_MS,
    ...options,
  });
  const doubts = createHostDoubts();

  async function watch<T>(
    { host, resource, signal, abandoned, timeoutMs }: HostRequest,
    entry: Entry,
    work: (signal: AbortSignal, answered: () => void) => Promise<T>,
  ): Promise<T> {
    const startMs = performance.now();
    const own = new AbortController();
    let isAnswered = false;
    let endWitness = () => {};

    function goOnAlone(witness: Witness, leftMs: number): void {
      const timer = setTimeout(() => {
        const error = timeoutFailure(host, `no response within ${timeoutMs} ms`);
        witness.timedOut(error);
        own.abort(error);
      }, leftMs);
      timer.unref();
      endWitness = () => {
        clearTimeout(timer);
        witness.ended();
      };
    }

    // Not only when the work throws: the query of a name that hangs does not end with its signal.
    const onAbort = () => {
      const waitedMs = performance.now() - startMs;
      if (abandoned?.aborted && !isAnswered && waitedMs >= timeoutMs * LEAST_WAIT) {
        const witness = doubts.add(host, { entry, resource });
        if (witness) goOnAlone(witness, timeoutMs - waitedMs);
        else own.abort(signal.reason);
        return;
      }
      // Other hosts that redirected here may have used up the time.
      if (isTimeout(signal.reason) && waitedMs >= timeoutMs / 2) entry.failed(signal.reason, resource);
      else entry.abandoned();
      own.abort(signal.reason);
    };

    const answered = () => {
      isAnswered = true;
      entry.succeeded();
      doubts.clear(host);
      // Nobody waits for more of it than this.
      if (signal.aborted) own.abort(signal.reason);
    };

    signal.addEventListener('abort', onAbort);
    try {
      return await work(own.signal, answered);
    } catch (error) {
      if (!own.signal.aborted && saysHostIsDown(error)) entry.failed(error, resource);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      endWitness();
      // Unless it was given up: then what another request finds decides.
      if (!signal.aborted) entry.abandoned();
    }
  }

  return {
    assertReachable(host) {
      const refusal = circuits.check(host);
      if (refusal) throw hostRefusal(refusal.error as EdgepressError, refusal.retryAfterMs);
    },
    async run(request, work) {
      request.signal.throwIfAborted();
      const { host } = request;
      const entry = circuits.enter(host);
      if ('retryAfterMs' in entry) throw hostRefusal(entry.error as EdgepressError, entry.retryAfterMs);
      return await watch(request, entry, work);
    },
    list: circuits.list,
    refusals: circuits.refusals,
  };
}

function isTimeout(reason: unknown): reason is EdgepressError {
  return reason instanceof EdgepressError && reason.code === 'source_timeout';
}
