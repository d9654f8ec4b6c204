import type { MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import { EdgepressError, type ErrorCode } from '../protocol/error.ts';
import type { EmbedMetrics } from '../telemetry/emf.ts';
import type { RequestOutcome } from '../telemetry/request-metrics.ts';
import { callerOf, type RequestResult, type Tracing } from '../tracing.ts';
import { createTrace, msOf, roundMs, type Trace } from '../variant/trace.ts';
import { createHitLog } from './hit-log.ts';
import type { AppEnvironment } from './http-request.ts';
import { ViewerLeft } from './viewer-signal.ts';

export interface RequestLogOptions {
  log: Logger;
  /** Called with each request once it is answered: for metrics. */
  onRequest?: ((request: RequestOutcome) => void) | undefined;
  tracing: Tracing;
  /** Adds metrics to each line; see `embedRequestMetrics`. */
  embedMetrics?: EmbedMetrics | undefined;
}

/** In requests and responses; the names of headers have no case. */
export const REQUEST_ID_HEADER = 'X-Request-Id';

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

export interface RequestRecorder {
  /**
   * Returns the id of a request for its response; `undefined` if it has none and needs none: a request that is neither logged nor failed, and
   * was sent without one.
   */
  requestId(trace: Trace, error: Error | undefined): string | undefined;
  /** Logs and counts a request once it is answered. */
  record(request: AnsweredRequest): void;
}

export function createRequestRecorder({
  log,
  onRequest,
  tracing,
  embedMetrics,
}: RequestLogOptions): RequestRecorder {
  const logHit = createHitLog(log);

  function requestId(trace: Trace, error: Error | undefined): string | undefined {
    const isNeeded = error !== undefined || trace.headers?.get('x-request-id') || log.isLevelEnabled('info');
    return isNeeded ? tracing.requestId(trace) : trace.requestId;
  }

  function record(request: AnsweredRequest): void {
    const { trace, error, totalMs } = request;
    const code = codeOf(error);
    const isHitInMemory = trace.outcome === 'hit' && trace.context === undefined && error === undefined;
    if (isHitInMemory && !embedMetrics) logHit(request, callerOf(trace)?.traceId);
    else logWithFields(request, code);
    tracing.endRequest(trace, () => spanResult(request, code));
    onRequest?.({
      outcome: code === undefined ? (trace.outcome ?? 'ok') : 'error',
      code: code ?? '',
      seconds: totalMs / 1000,
      bytes: trace.bytesOut ?? 0,
      originalBytes: trace.originalBytes,
    });
  }

  function logWithFields(request: AnsweredRequest, code: ErrorCode | undefined): void {
    const { trace } = request;
    const line = requestLine(request, code);
    const isWork = trace.unit !== undefined || request.counts !== undefined || code !== undefined;
    const metrics = embedMetrics?.(line, code ?? trace.outcome);
    log[isWork ? 'info' : 'debug'](metrics ? { ...line, ...metrics } : line, 'request');
  }

  return { requestId, record };
}

/** Returns the middleware that gives each request a trace and, once it is answered, records it. */
export function logRequests({ requestId, record }: RequestRecorder): MiddlewareHandler<AppEnvironment> {
  return async (c, next) => {
    const trace = createTrace(c.req.raw.headers);
    c.set('trace', trace);
    await next();
    const totalMs = performance.now() - trace.startMs;
    // Nothing is wrong with a request whose viewer has left.
    const error = c.error instanceof ViewerLeft ? undefined : c.error;
    const id = requestId(trace, error);
    if (id !== undefined) c.header(REQUEST_ID_HEADER, id);
    const { method } = c.req;
    record({ method, status: c.res.status, trace, counts: c.get('counts'), error, totalMs });
  };
}

/**
 * Returns the one log line of a request: what it was for, how it ended, what it cost. No queries and no signatures, which may contain
 * secrets.
 */
function requestLine(
  { method, status, trace, counts, error, totalMs }: AnsweredRequest,
  code: ErrorCode | undefined,
): Record<string, unknown> {
  const { ms, context } = trace;
  // Flat, and the same for all hits in memory: a nested object, or one that others are spread into, costs several times as much as all of this.
  const line = {
    requestId: trace.requestId,
    traceId: context ? context.trace.traceId : callerOf(trace)?.traceId,
    method,
    status,
    outcome: code === undefined ? trace.outcome : 'error',
    code,
    unit: trace.unit,
    sourceHost: trace.sourceHost,
    bytesIn: trace.bytesIn,
    bytesOut: trace.bytesOut ?? 0,
    storeMs: roundMs(msOf(trace, 'store', 'record')),
    fetchMs: roundMs(ms.fetch),
    encodeMs: roundMs(msOf(trace, 'decode', 'encode')),
    putMs: roundMs(ms.put),
    totalMs: roundMs(totalMs),
    reason: reasonOf(error),
  };
  const isMore = context !== undefined || counts !== undefined;
  return isMore ? { ...line, ...workFields(trace), ...counts } : line;
}

/** Returns what is to be said of a request only if it was more than a hit in memory. */
function workFields({ ms, context, joined, joinedRequestId, notPrewarmed }: Trace): Record<string, unknown> {
  return {
    ...{ joined, joinedRequestId, notPrewarmed },
    ...{ queueMs: roundMs(ms.queue), permitMs: roundMs(ms.permit), decodeMs: roundMs(ms.decode) },
    ...context?.logFields,
  };
}

function spanResult(
  { method, status, trace, error }: AnsweredRequest,
  code: ErrorCode | undefined,
): RequestResult {
  const attributes = {
    ...{ 'http.request.method': method, 'http.response.status_code': status },
    ...{ 'edgepress.outcome': code === undefined ? trace.outcome : 'error', 'edgepress.code': code },
    ...{
      'edgepress.unit': trace.unit,
      'edgepress.source_host': trace.sourceHost,
      'edgepress.joined': trace.joined,
    },
  };
  // OpenTelemetry's convention for servers: what the client did wrong is no error of the server.
  return {
    name: trace.unit === undefined ? method : `${method} /u/{unit}`,
    attributes,
    error: status >= 500 ? error : undefined,
  };
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
