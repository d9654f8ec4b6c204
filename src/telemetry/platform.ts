import type { Traceparent } from './traceparent.ts';

/** How the platform that runs this program names an invocation of it. */
export interface PlatformContext {
  requestId?: string | undefined;
  trace?: Traceparent | undefined;
  /** Other fields of all log lines of the invocation. */
  logFields?: Readonly<Record<string, string>>;
}
