import { PREFLIGHT_HEADERS } from '../../protocol/problem.ts';
import { CACHED_CODES } from '../../source/source-records.ts';
import { type ImageParameterOptions, imageParameters } from './image-parameters.ts';
import type { ApiResponse, Operation, Parameter, PathItem, ResponseHeader } from './openapi.ts';
import { problemResponses } from './problem-responses.ts';

// GET, HEAD and OPTIONS /u/{unit}.

const text = { type: 'string' };

/** Headers of every answer with an image, or about one. */
const HEADERS = {
  'Cache-Control': { description: '`CACHE_CONTROL`, and not beyond `exp`.', required: true, schema: text },
  'Cache-Status': {
    description: '`edgepress; hit` from the store, `edgepress; fwd=miss; stored` made now (RFC 9211).',
    required: true,
    schema: { type: 'string', pattern: '^edgepress; ' },
  },
  ETag: {
    description: 'The quoted MD5 of the bytes.',
    required: true,
    schema: { type: 'string', pattern: '^"[0-9a-f]{32}"$' },
  },
  Vary: { description: 'The request headers that chose this variant, if any did.', schema: text },
  'Accept-Ranges': { description: 'Ranges can be asked for.', required: true, schema: { const: 'bytes' } },
  'Server-Timing': {
    description: 'Milliseconds of `store`, `fetch`, `encode`.',
    required: true,
    schema: text,
  },
  'x-amz-meta-cache-tag': {
    description: 'The cache tags of the unit and of the source.',
    required: true,
    schema: { type: 'string', pattern: '^u-[0-9a-f]{32},s-[0-9a-f]{32}' },
  },
} as const satisfies Record<string, ResponseHeader>;

const CONTENT_RANGE = (pattern: string): Record<string, ResponseHeader> => ({
  'Content-Range': { description: 'Which bytes.', required: true, schema: { type: 'string', pattern } },
});

const TYPES = ['image/avif', 'image/webp', 'image/jpeg', 'image/png', 'image/gif'];
const IMAGE = Object.fromEntries(TYPES.map((type) => [type, {}]));

const ANSWERS: Record<string, ApiResponse> = {
  200: {
    description: 'The image. It may be in a simpler encoding than `f` names: `Content-Type` says in which.',
    headers: HEADERS,
    content: IMAGE,
  },
  206: {
    description: 'The part that `Range` asks for (one range; with `If-Range`).',
    headers: { ...HEADERS, ...CONTENT_RANGE('^bytes \\d+-\\d+/\\d+$') },
    content: IMAGE,
  },
  304: { description: 'The client has it: `If-None-Match` has its `ETag`.', headers: HEADERS },
  416: {
    description: 'The image has no such part.',
    headers: { ...HEADERS, ...CONTENT_RANGE('^bytes \\*/\\d+$') },
  },
  ...problemResponses(['bad_request', 'bad_signature', 'expired', ...CACHED_CODES, 'overloaded']),
};

const CONDITIONS: readonly Parameter[] = [
  {
    name: 'Save-Data',
    in: 'header',
    description: '`on`: the tier is `saver`, unless the URL names one.',
    schema: text,
  },
  {
    name: 'If-None-Match',
    in: 'header',
    description: 'The `ETag` of the copy that the client has.',
    schema: text,
  },
  { name: 'Range', in: 'header', description: 'One range of bytes.', schema: text },
  { name: 'If-Range', in: 'header', description: 'The `ETag` that the range is of.', schema: text },
];

/** Returns what is said of image URLs. */
export function imagePath(options: ImageParameterOptions): PathItem {
  const parameters = imageParameters(options);
  const get: Operation = {
    operationId: 'getImage',
    tags: ['Images'],
    summary: 'An image, compressed',
    description:
      'The first request for a variant makes it; later ones are hits. Any other parameter, or a repeated one, is refused. Path and query may have 6,000 bytes together.',
    security: [],
    parameters: [...parameters, ...CONDITIONS],
    responses: ANSWERS,
  };
  const options_: Operation = {
    operationId: 'preflightImage',
    tags: ['Images'],
    summary: 'A CORS preflight: pages of any origin may ask with any headers',
    security: [],
    parameters: parameters.filter((parameter) => parameter.in === 'path'),
    responses: { 204: { description: 'They may.', headers: preflightHeaders() } },
  };
  return { get, options: options_ };
}

function preflightHeaders(): Record<string, ResponseHeader> {
  return Object.fromEntries(
    Object.entries(PREFLIGHT_HEADERS).map(([name, value]) => [
      name,
      { description: 'As the Fetch standard says.', required: true, schema: { const: value } },
    ]),
  );
}
