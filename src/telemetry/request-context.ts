import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { formatTraceparent, type Traceparent } from './traceparent.ts';

/** What the work for one request, or one job of the queue, has in common. */
export interface RequestContext {
  /** Stands in each of its log lines. */
  readonly requestId: string;
  /** The trace that it is part of, and its own span as the parent of what it asks of others. */
  readonly trace: Traceparent;
  /** Other fields of its log lines. */
  readonly logFields?: Readonly<Record<string, string>> | undefined;
  /** Called when a step of it ends. */
  readonly onStep?: OnStep | undefined;
}

/** @param error - why the step failed; absent if it succeeded */
export type OnStep = (step: Step, error?: unknown) => void;

/** A step of the work, with the time of `performance.now` at both ends. */
export interface Step {
  name: string;
  startMs: number;
  endMs: number;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** How long after the last work in a context what it started may still need it. */
const LINGER_MS = 5000;
let running = 0;
let lingering: NodeJS.Timeout | undefined;

/**
 * Runs work, and all that it starts, in a context.
 *
 * Until Node 24, contexts cost time at every callback and promise of the process, whoever runs: a sixth of a hit in memory, which has none. So
 * they are switched off when nothing runs in one.
 */
export function runInContext<T>(context: RequestContext, work: () => Promise<T>): Promise<T> {
  running += 1;
  const result = storage.run(context, work);
  result.then(leaveContext, leaveContext);
  return result;
}

function leaveContext(): void {
  running -= 1;
  if (running > 0) return;
  lingering ??= setTimeout(disableIfIdle, LINGER_MS).unref();
  lingering.refresh();
}

function disableIfIdle(): void {
  if (running === 0) storage.disable();
}

/** Returns the context of the work that runs now. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

/** Returns the fields of the current context for a log line; `undefined` outside of any. */
export function currentLogFields(): Record<string, string> | undefined {
  const context = storage.getStore();
  return context && { requestId: context.requestId, traceId: context.trace.traceId, ...context.logFields };
}

/** Returns the headers that tell another service which trace a request to it is part of: these and no others, since it may be a stranger's. */
export function traceHeaders(): { traceparent?: string } {
  const context = storage.getStore();
  return context ? { traceparent: formatTraceparent(context.trace) } : {};
}

/** Ids that callers and proxies send: 1 to 128 characters that are safe in a log line and a header. */
const REQUEST_ID = /^[\w.~+/=:@-]{1,128}$/;

/** Returns the id in an `X-Request-Id` header, if it is valid. */
export function parseRequestId(header: string | null | undefined): string | undefined {
  return header && REQUEST_ID.test(header) ? header : undefined;
}

/** Tells apart the processes that make ids. */
const PROCESS_ID = randomBytes(6).toString('base64url');
let count = 0;

/** Returns a new id, unique among all processes: a random part of the process and a count, which is cheaper than random bytes for each. */
export function createRequestId(): string {
  count += 1;
  return `${PROCESS_ID}-${count.toString(36)}`;
}
