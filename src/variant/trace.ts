import type { ErrorCode } from '../protocol/error.ts';
import type { Format, Tier } from '../protocol/request.ts';
import type { RequestContext } from '../telemetry/request-context.ts';

/** The steps of a request that take time. */
export type TraceStep = 'store' | 'record' | 'fetch' | 'decode' | 'encode' | 'put';

/** The waits for the work of others: for a place in the work queue, and, as a part of `decode` and `encode`, for a permit of the encoder. */
export type TraceWait = 'queue' | 'permit';

/** What is learned about a request while it is handled, for its log line, its metrics and `Server-Timing`. */
export interface Trace {
  /** The headers of the request, in which its ids may be. Absent for work of the queue. */
  readonly headers?: { get(name: string): string | null | undefined } | undefined;
  /** When it began: a time of `performance.now`. */
  readonly startMs: number;
  /** Stands in its log lines; made when it is first needed. */
  requestId?: string;
  /** The id of the request that it joined. */
  joinedRequestId?: string | undefined;
  /** Set once it is more than a hit in memory. */
  context?: RequestContext;
  unit?: string;
  /** Host and port of the source: never more of its URL, which may contain secrets. */
  sourceHost?: string;
  /** `abandoned`: the viewer left before there was an answer. */
  outcome?: 'hit' | 'miss' | 'abandoned';
  /** Whether this request joined another one in flight, which then counts the cost. */
  joined?: boolean;
  /** Which parts of a variant that was made are not among what prewarm makes of its unit, separated by commas; see `Gap`. */
  notPrewarmed?: string | undefined;
  /** How long the URL is still valid, in seconds, if it expires and there is no image to send. */
  secondsToExpiry?: number | undefined;
  /** Bytes of the source, if it was fetched. */
  bytesIn?: number;
  /** Bytes of the response body. */
  bytesOut?: number;
  /** Bytes of the source, if the response body is a whole image. */
  originalBytes?: number;
  /** Milliseconds spent in each step so far. */
  readonly ms: Partial<Record<TraceStep | TraceWait, number>>;
}

export function createTrace(headers?: Trace['headers']): Trace {
  return { headers, startMs: performance.now(), ms: {} };
}

/** Returns the milliseconds of one or two steps together; `undefined` if none of them was taken. */
export function msOf({ ms }: Trace, step: TraceStep, next: TraceStep | undefined): number | undefined {
  const first = ms[step];
  const second = next && ms[next];
  return first === undefined ? second : first + (second ?? 0);
}

/** Returns milliseconds as log lines have them: with one decimal. */
export function roundMs(ms: number): number;
export function roundMs(ms: number | undefined): number | undefined;
export function roundMs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}

/**
 * Adds to the trace how long a step takes, whether it succeeds or fails.
 *
 * @param work - the work of the step, already started
 * @param onDone - called with the milliseconds and the result if the work succeeds
 * @returns what the work returns
 * @throws what the work throws
 */
export async function timed<T>(
  trace: Trace,
  step: TraceStep,
  work: Promise<T>,
  onDone?: (ms: number, result: T) => void,
): Promise<T> {
  const startMs = performance.now();
  let failure: unknown;
  try {
    const result = await work;
    onDone?.(performance.now() - startMs, result);
    return result;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    const endMs = performance.now();
    trace.ms[step] = (trace.ms[step] ?? 0) + endMs - startMs;
    trace.context?.onStep?.({ name: step, startMs, endMs }, failure);
  }
}

/** Work that was done, or a source that was found broken. */
export type WorkEvent =
  | { kind: 'fetch'; ms: number; bytes: number }
  | { kind: 'encode'; ms: number; bytes: number; format: Format; tier: Tier }
  | { kind: 'broken'; code: ErrorCode };

/** Called once for each piece of work, however many requests share it: for metrics. */
export type OnWork = (event: WorkEvent) => void;
