import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { ErrorCode } from '../protocol/error.ts';
import type { Trace } from '../variant/trace.ts';
import type { AppEnvironment } from './app-environment.ts';

/**
 * Writes the one line of a request: what it was for, how it ended, what it cost. Neither queries nor signatures, which
 * may carry secrets.
 */
export function logRequest(
  log: Logger,
  c: Context<AppEnvironment>,
  trace: Trace,
  code: ErrorCode | undefined,
  totalMs: number,
): void {
  const { status } = c.res;
  const counts = c.get('counts');
  const isWork = trace.unit !== undefined || counts !== undefined || code !== undefined;
  const { ms } = trace;
  // Flat, since a nested object costs the logger several times as much as all of this.
  const line = {
    method: c.req.method,
    status,
    outcome: code === undefined ? trace.outcome : 'error',
    code,
    unit: trace.unit,
    sourceHost: trace.sourceHost,
    joined: trace.joined,
    bytesIn: trace.bytesIn,
    // Not read off the response: to look at its headers costs more than all else that a hit needs.
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

/** What really happened, where the client was told less. */
function reasonOf(error: Error | undefined): string | undefined {
  return error?.cause instanceof Error ? error.cause.message.split('\n', 1)[0] : undefined;
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
