import { z } from 'zod';
import { EdgepressError, type ErrorCode } from '../../protocol/error.ts';
import { problemOf } from '../responses.ts';
import { type ApiResponse, type ResponseHeader, type Schema, schemaRef } from './openapi.ts';

// What is said of errors: their documents, and when there is which.

/** What is said of an error code. Its status is in `src/protocol/problem.ts`. */
interface CodeDescription {
  /** When it is answered, in Markdown without links. */
  when: string;
  /** Whether and when to send the request again. */
  retry: string;
  /** The `detail` of an example. */
  example: string;
  /** The parameter of the example. */
  parameter?: string;
  retryAfterSeconds?: number;
  retryable?: true;
}

export const ERROR_CODES: Readonly<Record<ErrorCode, CodeDescription>> = {
  bad_request: {
    when: 'the URL or the body is malformed; `parameter` names the part to blame',
    retry: 'no',
    example: '`w` must be a whole number of pixels, 1 or more',
    parameter: 'w',
  },
  unauthorized: {
    when: 'no valid token on a route that needs one',
    retry: 'no',
    example: 'This route needs `Authorization: Bearer` with the admin token',
  },
  bad_signature: {
    when: 'the signature is missing or wrong, or its key is not valid any more',
    retry: 'with a new URL',
    example: 'The URL is not signed: `sig` is missing',
  },
  expired: {
    when: '`exp` has passed',
    retry: 'with a new URL',
    example: 'The URL has expired: ask for a new one where you got it',
  },
  source_forbidden: {
    when: 'the original, or a redirect from it, is outside `SOURCE_ALLOW` or at an address that is not public',
    retry: 'no',
    example: 'no S3 bucket is among the allowed sources',
  },
  not_found: {
    when: 'no such route, or nothing is known of the unit',
    retry: 'no',
    example: 'There is no unit unit-9: it was never sent, or was purged',
  },
  method_not_allowed: {
    when: 'the route does not have this method; the header `Allow` has those that it has',
    retry: 'no',
    example: 'PUT is not allowed here; use GET, HEAD or DELETE',
  },
  unsupported_media_type: {
    when: 'the body is of a type that never has units, or in an encoding that is not taken',
    retry: 'no',
    example: 'The content type `image/png` has no units. Send one unit a line as JSON',
  },
  source_not_found: {
    when: 'the source answered 404 or 410',
    retry: 'later',
    example: 'status 404 from the source at example.com for /a.jpg',
  },
  source_too_large: {
    when: 'more bytes than `SOURCE_MAX_BYTES`, more pixels than `MAX_PIXELS` (all frames together) or than its type may have, or more memory or time to decode than its size explains',
    retry: 'no',
    example: 'the image at example.com has more than 33554432 bytes',
  },
  source_not_image: {
    when: 'HTML, SVG, or anything that is not an image edgepress decodes',
    retry: 'no',
    example: 'The source is HTML, which is not supported',
  },
  source_corrupt: {
    when: 'an image, but truncated or damaged',
    retry: 'no',
    example: 'The jpeg image is truncated or damaged',
  },
  source_unavailable: {
    when: 'DNS, TLS or connection failed, fewer bytes than declared, too many redirects, or another status',
    retry: 'with `Retry-After`: then; without: later',
    example: 'status 500 from the source at example.com',
    retryable: true,
    retryAfterSeconds: 60,
  },
  source_timeout: {
    when: 'the fetch took longer than `SOURCE_TIMEOUT_MS`',
    retry: 'after `Retry-After`',
    example: 'the source at example.com took longer than 10 s',
    retryable: true,
    retryAfterSeconds: 60,
  },
  overloaded: {
    when: 'the queue for encoding is full or would take too long, the store, the queue or the CDN failed, or the server is shutting down',
    retry: 'after `Retry-After`',
    example: 'Too many images are waiting to be made: try again',
    retryable: true,
    retryAfterSeconds: 2,
  },
  internal: {
    when: 'a bug in edgepress',
    retry: 'report it',
    example: 'Something went wrong here, and was logged',
  },
};

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** A problem document (RFC 9457). */
export const problemSchema = z.object({
  type: z.literal('about:blank'),
  title: z.string().describe('The name of the status.'),
  status: z.int().min(400).max(599).describe('The status, again.'),
  detail: z.string().min(1).describe('What is wrong, where, and what to do: for people.'),
  code: z.enum(CODES).describe('What programs rely on.'),
  parameter: z.string().exactOptional().describe('The part of the request that is wrong.'),
  retryable: z.boolean().describe('Whether the same request may succeed later.'),
});

/** Returns the status of an error, as the service answers it. */
export function statusOf(code: ErrorCode): number {
  return problemOf(new EdgepressError(code, '')).status;
}

/** Returns the answers for errors by status. A status may have several codes. */
export function problemResponses(codes: readonly ErrorCode[]): Record<string, ApiResponse> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...codes, 'internal' as const]) {
    const status = statusOf(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, own]) => [status, problemResponse(status, own)]));
}

function problemResponse(status: number, codes: readonly ErrorCode[]): ApiResponse {
  const examples = codes.map((code) => [
    code,
    { summary: capitalise(ERROR_CODES[code].when), value: exampleOf(code) },
  ]);
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].when}.`).join(' '),
    headers: headersOf(status),
    content: {
      'application/problem+json': { schema: schemaOf(status, codes), examples: Object.fromEntries(examples) },
    },
  };
}

function schemaOf(status: number, codes: readonly ErrorCode[]): Schema {
  return {
    allOf: [schemaRef('Problem'), { properties: { status: { const: status }, code: { enum: codes } } }],
  };
}

/** Made by what answers the errors themselves. */
function exampleOf(code: ErrorCode): unknown {
  const { example, parameter, retryable = false, retryAfterSeconds } = ERROR_CODES[code];
  const error = new EdgepressError(code, example, {
    retryable,
    ...(parameter !== undefined && { parameter }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
  return JSON.parse(problemOf(error).body);
}

function headersOf(status: number): Record<string, ResponseHeader> {
  const headers: Record<string, ResponseHeader> = {
    'Cache-Control': {
      description: '`no-store`, or a minute at most for errors of a source.',
      required: true,
      schema: { type: 'string' },
    },
  };
  if (status === 401) {
    headers['WWW-Authenticate'] = { description: 'The scheme.', required: true, schema: { const: 'Bearer' } };
  }
  if (status >= 500) {
    headers['Retry-After'] = { description: 'In seconds.', schema: { type: 'integer', minimum: 0 } };
  }
  return headers;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
