import { EdgepressError } from '../protocol/error.ts';
import type { InputFault } from '../unit/input/input-fault.ts';
import type { DeclaredFormat } from '../unit/input/input-kind.ts';

/** What to send instead: a part of the detail of each refusal. */
export const WAY_OUT =
  'Send one unit a line as JSON, such as {"id":"unit-1","images":["https://example.com/a.jpg"]}, an array of them, or CSV with a header such as id,image_url; as it is, or compressed with gzip or zstd';
/** The encodings of a body that are taken. */
const TAKEN_ENCODINGS = 'gzip, zstd, identity';
/** `x-gzip` is the same as `gzip` (RFC 9110, section 8.4.1.3). */
const ENCODINGS = ['identity', 'gzip', 'x-gzip', 'zstd', ''];
const CSV_TYPES = ['text/csv', 'text/tab-separated-values', 'application/csv'];
const JSON_TYPE = /^application\/(.+\+)?(x-)?(json|ndjson|jsonl|jsonlines|json-seq)$/;
/** Types that a body with units never has. Any other is found by the first bytes: curl calls everything a form. */
const OTHER_TYPES = /^(image|audio|video|font|multipart)\//;

/**
 * Returns what the headers of a body say about it. The encoding itself is found by its first bytes.
 *
 * @throws EdgepressError `unsupported_media_type` if units are never sent so
 */
export function readBodyHeaders(contentType = '', contentEncoding = ''): DeclaredFormat {
  const encodings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const other = encodings.find((name) => !ENCODINGS.includes(name));
  if (other !== undefined)
    throw unsupported(`The content encoding \`${other.slice(0, 60)}\` is none of ${TAKEN_ENCODINGS}`);
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (type.startsWith('multipart/'))
    throw unsupported(
      'The body is a form: send the file alone, with curl as `--data-binary @FILE` instead of `-F`',
    );
  if (OTHER_TYPES.test(type)) throw unsupported(`The content type \`${type.slice(0, 60)}\` has no units`);
  if (CSV_TYPES.includes(type)) return 'csv';
  return JSON_TYPE.test(type) ? 'json' : undefined;
}

/** Returns the error for a body of which no unit can be read. */
export function unreadableBody({ message, isOtherType }: InputFault): EdgepressError {
  const detail = `The body cannot be read: ${message}`;
  return isOtherType ? unsupported(detail) : new EdgepressError('bad_request', `${detail}. ${WAY_OUT}`);
}

function unsupported(detail: string): EdgepressError {
  return new EdgepressError('unsupported_media_type', `${detail}. ${WAY_OUT}`);
}
