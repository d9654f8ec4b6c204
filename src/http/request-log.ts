import type { Context, MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { RequestOutcome } from '../metrics.ts';
import { EdgepressError, type ErrorCode } from '../protocol/error.ts';
import { createTrace } from '../variant/trace.ts';
import type { AppEnvironment } from './http-request.ts';

export interface RequestLogOptions {
  log: Logger;
  /** Called with each request once it is answered: for metrics. */
  onRequest?: ((request: RequestOutcome) => void) | undefined;
}

/** Returns the middleware that gives each request a trace and, once it is answered, logs and counts it. */
export function logRequests({ log, onRequest }: RequestLogOptions): MiddlewareHandler<AppEnvironment> {
  return async (c, next) => {
    const trace = createTrace();
    c.set('trace', trace);
    const start = performance.now();
    await next();
    const totalMs = performance.now() - start;
    const code = codeOf(c.error);
    logRequest(log, c, code, totalMs);
    onRequest?.({
      outcome: code === undefined ? (trace.outcome ?? 'ok') : 'error',
      code: code ?? '',
      seconds: totalMs / 1000,
      bytes: trace.bytesOut ?? 0,
      originalBytes: trace.originalBytes,
    });
  };
}

/**
 * Writes the one log line of a request: what it was for, how it ended, what it cost. No queries and no signatures, which may contain
 * secrets.
 */
function logRequest(
  log: Logger,
  c: Context<AppEnvironment>,
  code: ErrorCode | undefined,
  totalMs: number,
): void {
  const { status } = c.res;
  const counts = c.get('counts');
  const trace = c.get('trace');
  const isWork = trace.unit !== undefined || counts !== undefined || code !== undefined;
  const { ms } = trace;
  // Flat: a nested object costs the logger several times as much as all of this.
  const line = {
    method: c.req.method,
    status,
    outcome: code === undefined ? trace.outcome : 'error',
    code,
    unit: trace.unit,
    sourceHost: trace.sourceHost,
    joined: trace.joined,
    bytesIn: trace.bytesIn,
    // Not from the response: reading its headers costs more than everything else that a hit needs.
    bytesOut: trace.bytesOut ?? 0,
    storeMs: round(ms.store),
    fetchMs: round(ms.fetch),
    encodeMs: round(ms.encode),
    putMs: round(ms.put),
    totalMs: round(totalMs),
    reason: reasonOf(c.error),
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
