import { sourceHost } from './protocol/source-syntax.ts';
import type { UnitQueue } from './queue/queue.ts';
import { WAIT_STEP } from './telemetry/observe-locks.ts';
import type { PlatformContext } from './telemetry/platform.ts';
import {
  createRequestId,
  currentContext,
  type OnStep,
  parseRequestId,
  type RequestContext,
  runInContext,
} from './telemetry/request-context.ts';
import {
  createTraceparent,
  formatTraceparent,
  parseTraceparent,
  type Traceparent,
} from './telemetry/traceparent.ts';
import type { Attributes, Span, Tracer } from './telemetry/tracer.ts';
import type { MakeVariants } from './variant/make-variants.ts';
import { createTrace, type Trace, type TraceWait, timed } from './variant/trace.ts';

/** Gives all work for a request, or a job, its ids, and records how long its steps take. */
export interface Tracing {
  /** Returns the id of a request: that of the platform, the one that it came with, or else a new one. */
  requestId(trace: Trace): string;
  /** Runs work for a request in its context, which it gets with the first. */
  runRequest<T>(trace: Trace, work: () => Promise<T>): Promise<T>;
  /** Runs work that a job, or another program, asks for, in a context of its own. */
  runJob<T>(attributes: Attributes, parent: Traceparent | undefined, work: () => Promise<T>): Promise<T>;
  /** Runs a part of a job, as a span of its own. */
  runPart<T>(name: string, attributes: Attributes, trace: Trace, work: () => Promise<T>): Promise<T>;
  /** Ends the span of a request. */
  endRequest(trace: Trace, result: () => RequestResult): void;
  /** Sends what is recorded. */
  flush(): Promise<void>;
}

/** How a request ended. */
export interface RequestResult {
  /** Of the span: of few different values. */
  name: string;
  attributes: Attributes;
  /** Why this server failed. */
  error: unknown;
}

export interface TracingOptions {
  /** Absent: no spans are recorded. */
  tracer?: Tracer | undefined;
  /** Called with the name and the seconds of each step: for metrics. */
  onStep?: (name: string, seconds: number) => void;
  /** Returns what the platform calls this invocation, if it says so. */
  platform?: () => PlatformContext | undefined;
}

export function createTracing({ tracer, onStep, platform = () => undefined }: TracingOptions = {}): Tracing {
  /** The spans of requests that have not ended. */
  const spans = new WeakMap<Trace, Span>();

  function contextFor(
    trace: Trace,
    requestId: string,
    span: Span | undefined,
    own: Traceparent,
  ): RequestContext {
    const observe: OnStep = (step, error) => {
      const ms = step.endMs - step.startMs;
      const wait = waitOf(step.name);
      if (wait) trace.ms[wait] = (trace.ms[wait] ?? 0) + ms;
      onStep?.(step.name, ms / 1000);
      span?.addStep(step, error);
    };
    return { requestId, trace: span?.trace ?? own, logFields: platform()?.logFields, onStep: observe };
  }

  /** A trace of which X-Ray records nothing is no parent: a sampler that follows its parent would record nothing, either. */
  function recordedByPlatform(): Traceparent | undefined {
    const trace = platform()?.trace;
    return trace?.sampled ? trace : undefined;
  }

  function startRequest(trace: Trace): Span | undefined {
    const parent = callerOf(trace) ?? recordedByPlatform();
    return tracer?.start({ name: 'request', kind: 'server', parent, startMs: trace.startMs });
  }

  async function runSpan<T>(
    span: Span | undefined,
    context: RequestContext,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      const result = await runInContext(context, work);
      span?.end({ endMs: performance.now() });
      return result;
    } catch (error) {
      span?.end({ endMs: performance.now(), error });
      throw error;
    }
  }

  function requestId(trace: Trace): string {
    trace.requestId ??=
      platform()?.requestId ?? parseRequestId(trace.headers?.get('x-request-id')) ?? createRequestId();
    return trace.requestId;
  }

  return {
    requestId,
    async runRequest(trace, work) {
      if (!trace.context) {
        const span = startRequest(trace);
        if (span) spans.set(trace, span);
        const own = callerOf(trace) ?? platform()?.trace ?? createTraceparent();
        trace.context = contextFor(trace, requestId(trace), span, own);
      }
      return await runInContext(trace.context, work);
    },
    runJob(attributes, parent, work) {
      const caller = parent ?? platform()?.trace;
      const trace = createTrace();
      const spanParent = parent ?? recordedByPlatform();
      const options = { name: 'job', kind: 'consumer', parent: spanParent, startMs: trace.startMs } as const;
      const span = tracer?.start({ ...options, attributes });
      const context = contextFor(trace, requestId(trace), span, caller ?? createTraceparent());
      return runSpan(span, context, work);
    },
    runPart(name, attributes, trace, work) {
      const outer = currentContext();
      const own = outer?.trace ?? createTraceparent();
      const options = { name, kind: 'internal', parent: outer?.trace, startMs: trace.startMs } as const;
      const span = tracer?.start({ ...options, attributes });
      trace.context = contextFor(trace, outer?.requestId ?? createRequestId(), span, own);
      return runSpan(span, trace.context, work);
    },
    endRequest(trace, result) {
      if (!tracer) return;
      // Hits in memory have none yet. What is neither about an image nor a unit, such as a health check, is not traced.
      const span = spans.get(trace) ?? (trace.unit === undefined ? undefined : startRequest(trace));
      span?.end({ endMs: performance.now(), ...result() });
    },
    flush: async () => await tracer?.flush(),
  };
}

/** Returns what a request says of the trace that it is part of. */
export function callerOf({ headers }: Trace): Traceparent | undefined {
  return parseTraceparent(headers?.get('traceparent'));
}

/** Waits for a permit of the encoder are a part of decoding and encoding; all others precede them. */
function waitOf(step: string): TraceWait | undefined {
  if (!step.startsWith(WAIT_STEP)) return undefined;
  return /_(encode|large)$/.test(step) ? 'permit' : 'queue';
}

/** Returns `makeVariants`, which makes a batch that no request waits for as a part of its job. */
export function traceBatches(makeVariants: MakeVariants, tracing: Tracing): MakeVariants {
  return (batch, trace) => {
    if (trace.context) return makeVariants(batch, trace);
    const { unit, src, specs, effort } = batch;
    const attributes = {
      ...{ 'edgepress.unit': unit, 'edgepress.source_host': sourceHost(src) },
      ...{ 'edgepress.effort': effort, 'edgepress.variants': specs.length },
    };
    const fetch: typeof batch.fetch = (...source) => timed(trace, 'fetch', batch.fetch(...source));
    return tracing.runPart('make variants', attributes, trace, () =>
      makeVariants({ ...batch, fetch }, trace),
    );
  };
}

/** Returns a queue that sends with each job the trace in which it was asked for, if somebody records that. */
export function traceJobs(queue: UnitQueue): UnitQueue {
  return {
    ...queue,
    async send(jobs) {
      const trace = currentContext()?.trace;
      const traceparent = trace?.sampled ? formatTraceparent(trace) : undefined;
      await queue.send(traceparent === undefined ? jobs : jobs.map((job) => ({ ...job, traceparent })));
    },
  };
}
