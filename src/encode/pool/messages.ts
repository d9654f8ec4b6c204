import type { SourceFacts } from '../../decode/image-type.ts';
import { EdgepressError, type EdgepressErrorOptions, type ErrorCode } from '../../protocol/error.ts';
import type { EncodedImage, EncodeRequest, Urgency } from '../encoder.ts';

// What a server and an encoder process tell each other. A process works on one image at a time: decode, any number of encodes, close.

/** From the server to the process. */
export type PoolRequest =
  /** Followed by the bytes of the source. */
  | { kind: 'decode'; maxWidth: number; urgency: Urgency; mayBeLarge: boolean }
  | { kind: 'encode'; id: number; request: EncodeRequest }
  /** Forget the image. */
  | { kind: 'close' };

/** From the process to the server, with the memory that the process now holds, in bytes. */
export type PoolMessage = PoolResponse & { memory: number };

/** What the process answers. */
export type PoolResponse =
  /** It has started. */
  | { kind: 'ready' }
  | { kind: 'decoded'; facts: SourceFacts; isStreamed: boolean }
  /** Followed by the body. */
  | { kind: 'encoded'; id: number; image: Omit<EncodedImage, 'body'> }
  /** `id` is that of the encode; none if decoding failed. */
  | { kind: 'failed'; id?: number | undefined; error: SentError }
  /** Large images take turns, and this one has not had its turn. `id` as in `failed`. */
  | { kind: 'large'; id?: number | undefined };

/** An error as a message. */
export interface SentError {
  message: string;
  stack: string | undefined;
  /** Of an EdgepressError. */
  code?: ErrorCode;
  options?: Omit<EdgepressErrorOptions, 'cause'>;
  cause?: SentError | undefined;
}

export function toSentError(error: unknown): SentError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined };
  const { message, stack, cause } = error;
  const sent: SentError = { message, stack, ...(cause !== undefined && { cause: toSentError(cause) }) };
  if (!(error instanceof EdgepressError)) return sent;
  const { code, parameter, retryable, retryAfterSeconds } = error;
  const options = {
    retryable,
    ...(parameter !== undefined && { parameter }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
  return { ...sent, code, options };
}

export function fromSentError({ message, stack, code, options, cause }: SentError): Error {
  const inner = cause && { cause: fromSentError(cause) };
  const error = code
    ? new EdgepressError(code, message, { ...options, ...inner })
    : new Error(message, inner);
  if (stack !== undefined) error.stack = stack;
  return error;
}
