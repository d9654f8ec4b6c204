/** The closed set of what can go wrong, as clients see it. `src/http/problem.ts` gives each its status. */
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'not_found'
  | 'method_not_allowed'
  | 'bad_signature'
  | 'expired'
  | 'source_forbidden'
  | 'source_not_found'
  | 'source_too_large'
  | 'source_not_image'
  | 'source_corrupt'
  | 'source_unavailable'
  | 'source_timeout'
  | 'overloaded'
  | 'internal';

export interface EdgepressErrorOptions {
  /** The request parameter that is to blame. */
  parameter?: string;
  /** Whether the same request may succeed later without anyone changing anything. */
  retryable?: boolean;
  /** How long a caller should wait before it tries again, in seconds. */
  retryAfterSeconds?: number;
  /** What really happened: for logs, never for clients. */
  cause?: unknown;
}

/** The one error that this program throws on purpose. Its message is public: it says what is wrong, where, and what to do. */
export class EdgepressError extends Error {
  override readonly name = 'EdgepressError';
  readonly code: ErrorCode;
  readonly parameter: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: EdgepressErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.parameter = options.parameter;
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
