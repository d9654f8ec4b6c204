import type { Hono } from 'hono';
import type { Trace } from '../variant/trace.ts';
import type { RawRequest } from './request-target.ts';

/** What handlers find beside the request. */
export type AppEnvironment = {
  Bindings: RawRequest;
  Variables: {
    trace: Trace;
    /** What an operator's request came to, for its log line. */
    counts?: Readonly<Record<string, number>>;
  };
};

export type App = Hono<AppEnvironment>;
