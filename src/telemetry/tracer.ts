import type { Step } from './request-context.ts';
import type { Traceparent } from './traceparent.ts';

/** Values that are known of a span. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  name: string;
  /** Who asked for the work: a client of this server, the queue, or another span. */
  kind: 'server' | 'consumer' | 'internal';
  /** Absent: a trace starts here. */
  parent: Traceparent | undefined;
  /** A time of `performance.now`. */
  startMs: number;
  attributes?: Attributes;
}

/** A part of a trace that has begun. */
export interface Span {
  /** The span as the parent of others, here or elsewhere. */
  readonly trace: Traceparent;
  /** Records a step of it that has ended. */
  addStep(step: Step, error?: unknown): void;
  end(result: SpanResult): void;
}

export interface SpanResult {
  /** A time of `performance.now`. */
  endMs: number;
  /** Default: the name it began with. */
  name?: string;
  attributes?: Attributes;
  /** Why it failed; absent if it did not. */
  error?: unknown;
}

/** Records spans and sends them to a collector. */
export interface Tracer {
  start(options: SpanOptions): Span;
  /** Sends what is recorded. Resolves when it was sent or could not be. */
  flush(): Promise<void>;
}
