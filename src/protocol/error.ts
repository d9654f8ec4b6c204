/** Every error code that a client can see. `problem.ts` gives each its HTTP status. */
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type'
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
  /** The request parameter that is wrong. */
  parameter?: string;
  /** Whether the same request may succeed later without any change. Default: `false`. */
  retryable?: boolean;
  /** How long a caller should wait before it tries again, in seconds. */
  retryAfterSeconds?: number;
  /** Further members of the problem document (RFC 9457, section 3.2). */
  members?: object;
  /** The underlying error, for logs only: clients never see it. */
  cause?: unknown;
}

/** The one error that this program throws on purpose. Its message is public: it says what is wrong, where, and what to do. */
export class EdgepressError extends Error {
  override readonly name = 'EdgepressError';
  readonly code: ErrorCode;
  readonly parameter: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly members: object | undefined;

  constructor(code: ErrorCode, message: string, options: EdgepressErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.parameter = options.parameter;
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.members = options.members;
  }
}
