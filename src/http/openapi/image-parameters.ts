import { FIRST_MILLISECONDS, FORMAT_VALUES, TIERS } from '../../protocol/request.ts';
import { UNIT_JSON_SCHEMA } from '../../unit/unit-id.ts';
import type { Parameter } from './openapi.ts';

// The parameters of an image URL. What parses them also runs at the edge, where there is no zod: so they are described here, and a test
// holds the description to the parser.

/** Neither control characters nor, at the end, a space. */
const REST = '[^\\x00-\\x1f\\x7f]*[^\\x00-\\x20\\x7f]';
const HOST = '(?:\\[[0-9A-Fa-f:.]+\\]|[^ :\\[\\]<>^|"`{}/?#\\\\@\\x00-\\x1f\\x7f]+)';
/** Up to 65535, in at most five digits. */
const PORT = '(?::(?:[0-9]{0,4}|[0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?';
const SOURCE = `^(?:[Hh][Tt][Tt][Pp][Ss]?://${HOST}${PORT}(?:[/?#\\\\](?:${REST})?)?|[Ss]3://[A-Za-z0-9._-]+/${REST})$`;

/** What the parameters depend on. */
export interface ImageParameterOptions {
  /** Whether there are signing keys. */
  isSigned: boolean;
  widths: readonly number[];
  defaultWidth: number;
}

/** Returns the parameters of an image URL. */
export function imageParameters({
  isSigned,
  widths,
  defaultWidth,
}: ImageParameterOptions): readonly Parameter[] {
  const parameters: Parameter[] = [
    {
      name: 'unit',
      in: 'path',
      required: true,
      description: 'The data unit that the image belongs to. It is read as sent: `%` is not allowed in it.',
      schema: { type: 'string', ...UNIT_JSON_SCHEMA },
      example: 'demo',
    },
    {
      name: 'src',
      in: 'query',
      required: true,
      description:
        'The absolute URL of the original, `http:`, `https:` or `s3:`, percent-encoded, without user name and password.',
      schema: { type: 'string', maxLength: 4096, pattern: SOURCE },
      example: 'http://127.0.0.1:3001/nagasaki-boats.jpg',
    },
    {
      name: 'w',
      in: 'query',
      description: `The width in pixels. It goes up to the next of ${widths.join(', ')}; above, it means the last one.`,
      schema: { type: 'integer', minimum: 1, default: defaultWidth },
      example: 480,
    },
    {
      name: 'q',
      in: 'query',
      description: 'The tier. Default: `saver` if the request has `Save-Data: on`, else `balanced`.',
      schema: { type: 'string', enum: TIERS },
    },
    {
      name: 'f',
      in: 'query',
      description: 'The format that the client can display. `auto`: the best that `Accept` names itself.',
      schema: { type: 'string', enum: FORMAT_VALUES, default: 'auto' },
      example: 'avif',
    },
    {
      name: 'exp',
      in: 'query',
      description: 'The Unix second after which the URL is refused.',
      schema: { type: 'integer', minimum: 0, exclusiveMaximum: FIRST_MILLISECONDS },
    },
  ];
  if (!isSigned) return parameters;
  return [
    ...parameters,
    {
      name: 'sig',
      in: 'query',
      required: true,
      description:
        'The signature, always the last parameter: `{key id}.{HMAC-SHA256 of all before "&sig=", in base64url}`.',
      schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}\\.[A-Za-z0-9_-]{43}$' },
    },
  ];
}
