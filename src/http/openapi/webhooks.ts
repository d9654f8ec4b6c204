import type { SchemaName } from './components.ts';
import { type Parameter, type PathItem, schemaRef } from './openapi.ts';
import { EXAMPLES } from './unit-examples.ts';

// What receivers in NOTIFY get.

const text = { type: 'string' };

/** As Standard Webhooks says. */
const HEADERS: readonly Parameter[] = [
  { name: 'webhook-id', in: 'header', required: true, description: 'The `id` of the event.', schema: text },
  {
    name: 'webhook-timestamp',
    in: 'header',
    required: true,
    description: 'The Unix second of this attempt.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  {
    name: 'webhook-signature',
    in: 'header',
    required: true,
    description:
      'For each secret, separated by spaces: `v1,` and the base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`.',
    schema: { type: 'string', pattern: '^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$' },
  },
];

function webhook(operationId: string, summary: string, schema: SchemaName, example: object): PathItem {
  return {
    post: {
      operationId,
      tags: ['Webhooks'],
      summary,
      security: [],
      parameters: HEADERS,
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaRef(schema), example } },
      },
      responses: {
        '2XX': { description: 'The event is taken, if this comes within 15 seconds.' },
        '410': { description: 'No further events are sent until the next start.' },
        '4XX': {
          description: '400, 413, 415, 422: this event is tried again later, others go on. Else as below.',
        },
        default: {
          description: 'All events are tried again later, with growing pauses, and not before `Retry-After`.',
        },
      },
    },
  };
}

export const WEBHOOKS: Readonly<Record<string, PathItem>> = {
  'unit.completed': webhook(
    'onUnitCompleted',
    'The last image of a unit is ready or broken',
    'CompletedEvent',
    EXAMPLES.completed,
  ),
  'unit.failed': webhook('onUnitFailed', 'A unit is given up', 'FailedEvent', EXAMPLES.failed),
};
