import type { Context } from 'hono';
import type { Logger } from 'pino';
import { EdgepressError } from '../error.ts';
import type { Trace } from '../variant/trace.ts';

/**
 * Writes the one line of a request: what it was for, how it ended, what it cost. Neither queries nor signatures, which
 * may carry secrets.
 */
export function logRequest(log: Logger, c: Context, trace: Trace, totalMs: number): void {
  const { status } = c.res;
  const isImage = trace.unit !== undefined;
  const code = c.error === undefined ? undefined : codeOf(c.error);
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
  log[isImage || code !== undefined ? 'info' : 'debug'](line, 'request');
}

function codeOf(error: Error): string {
  return error instanceof EdgepressError ? error.code : 'internal';
}

/** What really happened, where the client was told less. */
function reasonOf(error: Error | undefined): string | undefined {
  return error?.cause instanceof Error ? error.cause.message.split('\n', 1)[0] : undefined;
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
