import type { MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { RequestOutcome } from '../metrics.ts';
import { EdgepressError, type ErrorCode } from '../protocol/error.ts';
import { createTrace, type Trace } from '../variant/trace.ts';
import type { AppEnvironment } from './http-request.ts';

export interface RequestLogOptions {
  log: Logger;
  /** Called with each request once it is answered: for metrics. */
  onRequest?: ((request: RequestOutcome) => void) | undefined;
}

/** A request that has been answered. */
interface AnsweredRequest {
  method: string;
  status: number;
  trace: Trace;
  /** See `AppEnvironment`. */
  counts?: Readonly<Record<string, number>> | undefined;
  /** Why it failed. */
  error: Error | undefined;
  totalMs: number;
}

/** Logs and counts a request. */
export type RecordRequest = (request: AnsweredRequest) => void;

/** Returns what logs and counts each request once it is answered. */
export function createRequestRecorder({ log, onRequest }: RequestLogOptions): RecordRequest {
  return (request) => {
    const { trace, error, totalMs } = request;
    const code = codeOf(error);
    logRequest(log, request, code);
    onRequest?.({
      outcome: code === undefined ? (trace.outcome ?? 'ok') : 'error',
      code: code ?? '',
      seconds: totalMs / 1000,
      bytes: trace.bytesOut ?? 0,
      originalBytes: trace.originalBytes,
    });
  };
}

/** Returns the middleware that gives each request a trace and, once it is answered, records it. */
export function logRequests(record: RecordRequest): MiddlewareHandler<AppEnvironment> {
  return async (c, next) => {
    const trace = createTrace();
    c.set('trace', trace);
    const start = performance.now();
    await next();
    const totalMs = performance.now() - start;
    const { method } = c.req;
    record({ method, status: c.res.status, trace, counts: c.get('counts'), error: c.error, totalMs });
  };
}

/**
 * Writes the one log line of a request: what it was for, how it ended, what it cost. No queries and no signatures, which may contain
 * secrets.
 */
function logRequest(
  log: Logger,
  { method, status, trace, counts, error, totalMs }: AnsweredRequest,
  code: ErrorCode | undefined,
): void {
  const isWork = trace.unit !== undefined || counts !== undefined || code !== undefined;
  const { ms } = trace;
  // Flat: a nested object costs the logger several times as much as all of this.
  const line = {
    method,
    status,
    outcome: code === undefined ? trace.outcome : 'error',
    code,
    unit: trace.unit,
    sourceHost: trace.sourceHost,
    joined: trace.joined,
    bytesIn: trace.bytesIn,
    bytesOut: trace.bytesOut ?? 0,
    storeMs: round(ms.store),
    fetchMs: round(ms.fetch),
    encodeMs: round(ms.encode),
    putMs: round(ms.put),
    totalMs: round(totalMs),
    reason: reasonOf(error),
  };
  log[isWork ? 'info' : 'debug'](counts ? { ...line, ...counts } : line, 'request');
}

/** Returns the code of the problem document that a request was answered with, if it was. */
function codeOf(error: Error | undefined): ErrorCode | undefined {
  if (error === undefined) return undefined;
  return error instanceof EdgepressError ? error.code : 'internal';
}

/** Returns the cause of an error, which the client does not learn. */
function reasonOf(error: Error | undefined): string | undefined {
  return error?.cause instanceof Error ? error.cause.message.split('\n', 1)[0] : undefined;
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
