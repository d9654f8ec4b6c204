import type { ErrorCode } from '../protocol/error.ts';
import type { Format, Tier } from '../protocol/request.ts';

/** The steps of a request that take time. */
export type Step = 'store' | 'fetch' | 'encode' | 'put';

/** What is learned of a request on its way, for its log line and for `Server-Timing`. */
export interface Trace {
  unit?: string;
  /** Host and port of the source: never more of its URL, which may carry secrets. */
  sourceHost?: string;
  outcome?: 'hit' | 'miss';
  /** Whether another request's work was shared: what it cost is that one's. */
  joined?: boolean;
  /** Bytes of the source, if it was fetched. */
  bytesIn?: number;
  /** Bytes of the answer's body. */
  bytesOut?: number;
  /** Bytes of the original that this answer stands for, where it is a whole picture. */
  originalBytes?: number;
  /** Milliseconds of each step so far. */
  readonly ms: Partial<Record<Step, number>>;
}

export function createTrace(): Trace {
  return { ms: {} };
}

/**
 * Does the work of a step and notes how long it took, whether it succeeds or not.
 *
 * @param done - is told of work that succeeded
 */
export async function timed<T>(
  trace: Trace,
  step: Step,
  work: Promise<T>,
  done?: (ms: number, result: T) => void,
): Promise<T> {
  const start = performance.now();
  try {
    const result = await work;
    done?.(performance.now() - start, result);
    return result;
  } finally {
    trace.ms[step] = (trace.ms[step] ?? 0) + performance.now() - start;
  }
}

/** A piece of work that was done, or tried. */
export type Work =
  | { kind: 'fetch'; ms: number; bytes: number }
  | { kind: 'encode'; ms: number; bytes: number; format: Format; tier: Tier }
  | { kind: 'broken'; code: ErrorCode };

/** Is told of each piece of work once, however many wait for it: metrics. */
export type OnWork = (work: Work) => void;
