import { UNIT_STATES } from '../../protocol/keys.ts';
import { PACK_CURSOR } from '../../unit/list-units.ts';
import { UNIT_JSON_SCHEMA } from '../../unit/unit-id.ts';
import { DEFAULT_LIMIT, MAX_LIMIT } from '../list-units.ts';
import type { SchemaName } from './components.ts';
import { type ApiResponse, type Operation, type Parameter, type PathItem, schemaRef } from './openapi.ts';
import { problemResponses } from './problem-responses.ts';
import { EXAMPLES } from './unit-examples.ts';

// The routes of operators.

export const SECURITY_SCHEMES = {
  adminToken: { type: 'http', scheme: 'bearer', description: '`ADMIN_TOKEN`.' },
};
const common = { tags: ['Units'], security: [{ adminToken: [] }] } as const;

const UNIT: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of the unit, as it is: ids have nothing to encode.',
  schema: { type: 'string', ...UNIT_JSON_SCHEMA },
  example: 'unit-2',
};

function flag(name: string, description: string): Parameter {
  return { name, in: 'query', description, schema: { type: 'integer', enum: [1] } };
}

/** An answer with one of these documents. */
function answer(description: string, examples: Partial<Record<SchemaName, unknown>>): ApiResponse {
  const names = Object.keys(examples);
  const refs = names.map(schemaRef);
  const schema = refs.length === 1 && refs[0] ? refs[0] : { anyOf: refs };
  const named = Object.entries(examples).map(([name, value]) => [name, { value }]);
  return { description, content: { 'application/json': { schema, examples: Object.fromEntries(named) } } };
}

const ingest: Operation = {
  ...common,
  operationId: 'ingestUnits',
  summary: 'Prewarms units',
  description:
    'A body of any length: NDJSON, JSON, CSV or TSV, as it is or compressed with gzip or zstd. Its first bytes say what it is, whatever its `Content-Type`. Units that were answered for survive a restart.',
  parameters: [flag('retry', 'Tries again what is remembered as broken.')],
  requestBody: {
    required: true,
    content: {
      'application/x-ndjson': {
        schema: { type: 'string', description: 'A `Unit` a line, at most 1 MiB each.' },
        example: EXAMPLES.lines,
      },
      'application/json': {
        schema: { anyOf: [schemaRef('Unit'), { type: 'array', items: schemaRef('Unit'), minItems: 1 }] },
        example: [EXAMPLES.unit],
      },
      'text/csv': {
        schema: { type: 'string', description: 'A header, then a row a unit or a row an image.' },
        example: EXAMPLES.csv,
      },
    },
  },
  responses: {
    202: answer('At least one unit was taken. What was refused does not affect the others.', {
      IngestReport: EXAMPLES.ingested,
    }),
    ...withReport(problemResponses(['bad_request', 'unauthorized', 'unsupported_media_type', 'overloaded'])),
  },
};

/** When no unit was taken, the problem document also has the report. */
function withReport(responses: Record<string, ApiResponse>): Record<string, ApiResponse> {
  const own = responses[400];
  const media = own?.content?.['application/problem+json'];
  if (!own || !media) return responses;
  const schema = { anyOf: [media.schema, schemaRef('IngestProblem')] };
  return {
    ...responses,
    400: {
      ...own,
      description: `${own.description} If all lines were refused, the document also has the report.`,
      content: { 'application/problem+json': { schema, example: EXAMPLES.nothingTaken } },
    },
  };
}

const list: Operation = {
  ...common,
  operationId: 'listUnits',
  summary: 'Lists units by state, in pages',
  parameters: [
    {
      name: 'state',
      in: 'query',
      required: true,
      description:
        '`pending`: sent and not worked on since. `ready`, `broken`: how the last work ended. `failed`: given up.',
      schema: { type: 'string', enum: UNIT_STATES },
      example: 'broken',
    },
    {
      name: 'after',
      in: 'query',
      description: 'The `next` of the page before.',
      schema: {
        anyOf: [
          { type: 'string', ...UNIT_JSON_SCHEMA },
          { type: 'string', pattern: PACK_CURSOR.source },
        ],
      },
    },
    {
      name: 'limit',
      in: 'query',
      description: 'The most units in a page.',
      schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
    },
  ],
  responses: {
    200: answer('A page, by shard and id.', { UnitPage: EXAMPLES.page }),
    ...problemResponses(['bad_request', 'unauthorized', 'overloaded']),
  },
};

const status: Operation = {
  ...common,
  operationId: 'getUnit',
  summary: 'The status of a unit',
  parameters: [UNIT, flag('asked', 'Answers instead what viewers asked for, against what prewarm makes.')],
  responses: {
    200: answer('What there is of the unit; with `asked=1`, an `AskedUnit`.', {
      UnitStatus: EXAMPLES.status,
      UnsentUnit: EXAMPLES.unsent,
      AskedUnit: EXAMPLES.asked,
    }),
    ...problemResponses(['bad_request', 'unauthorized', 'not_found', 'overloaded']),
  },
};

const purgeUnit: Operation = {
  ...common,
  operationId: 'purgeUnit',
  summary: 'Purges a unit',
  description: 'Idempotent: send it again after a failure.',
  parameters: [UNIT],
  responses: {
    200: answer('It is gone from the store, and from the CDN, if there is one.', {
      PurgedUnit: EXAMPLES.purgedUnit,
    }),
    ...problemResponses(['bad_request', 'unauthorized', 'overloaded']),
  },
};

const purge: Operation = {
  ...common,
  operationId: 'purgeUnits',
  summary: 'Purges many units, or all of a group',
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: { anyOf: [schemaRef('PurgeUnits'), schemaRef('PurgeGroup')] },
        examples: { PurgeUnits: { value: EXAMPLES.purgeUnits }, PurgeGroup: { value: EXAMPLES.purgeGroup } },
      },
    },
  },
  responses: {
    200: answer('They are gone from the store, and from the CDN, if there is one.', {
      PurgedUnits: EXAMPLES.purgedUnits,
      PurgedGroup: EXAMPLES.purgedGroup,
    }),
    ...problemResponses(['bad_request', 'unauthorized', 'overloaded']),
  },
};

const metrics: Operation = {
  ...common,
  tags: ['Operation'],
  operationId: 'getMetrics',
  summary: 'Metrics for Prometheus',
  responses: {
    200: { description: 'In the text format.', content: { 'text/plain': { schema: { type: 'string' } } } },
    ...problemResponses(['unauthorized']),
  },
};

export const UNIT_PATHS: Readonly<Record<string, PathItem>> = {
  '/units': { get: list, post: ingest },
  '/units/{id}': { get: status, delete: purgeUnit },
  '/units/purge': { post: purge },
  '/metrics': { get: metrics },
};
