import type { ErrorCode } from '../protocol/error.ts';
import type { Format, Tier } from '../protocol/request.ts';

/** The steps of a request that take time. */
export type TraceStep = 'store' | 'fetch' | 'encode' | 'put';

/** What is learned about a request while it is handled, for its log line, its metrics and `Server-Timing`. */
export interface Trace {
  unit?: string;
  /** Host and port of the source: never more of its URL, which may contain secrets. */
  sourceHost?: string;
  outcome?: 'hit' | 'miss';
  /** Whether this request joined another one in flight, which then counts the cost. */
  joined?: boolean;
  /** Bytes of the source, if it was fetched. */
  bytesIn?: number;
  /** Bytes of the response body. */
  bytesOut?: number;
  /** Bytes of the source, if the response body is a whole image. */
  originalBytes?: number;
  /** Milliseconds spent in each step so far. */
  readonly ms: Partial<Record<TraceStep, number>>;
}

export function createTrace(): Trace {
  return { ms: {} };
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
  const start = performance.now();
  try {
    const result = await work;
    onDone?.(performance.now() - start, result);
    return result;
  } finally {
    trace.ms[step] = (trace.ms[step] ?? 0) + performance.now() - start;
  }
}

/** Work that was done, or a source that was found broken. */
export type WorkEvent =
  | { kind: 'fetch'; ms: number; bytes: number }
  | { kind: 'encode'; ms: number; bytes: number; format: Format; tier: Tier }
  | { kind: 'broken'; code: ErrorCode };

/** Called once for each piece of work, however many requests share it: for metrics. */
export type OnWork = (event: WorkEvent) => void;
