import { type PathItem, schemaRef } from './openapi.ts';
import { problemResponses } from './problem-responses.ts';

// The routes by which the service is run. Nobody needs a token for them.

const common = { tags: ['Operation'], security: [] } as const;
const READY = { status: 'ready', draining: false, checks: { store: 'ok', queue: 'ok' } };

function readiness(description: string, example: object) {
  return { description, content: { 'application/json': { schema: schemaRef('Readiness'), example } } };
}

export const OPERATION_PATHS: Readonly<Record<string, PathItem>> = {
  '/healthz': {
    get: {
      ...common,
      operationId: 'getHealth',
      summary: 'Whether the process lives',
      responses: {
        200: {
          description: 'It does.',
          content: {
            'application/json': {
              schema: schemaRef('Health'),
              example: { status: 'ok', storeFaults: { put: 2 } },
            },
          },
        },
        ...problemResponses([]),
      },
    },
  },
  '/readyz': {
    get: {
      ...common,
      operationId: 'getReadiness',
      summary: 'Whether it can do its work',
      responses: {
        200: readiness('It can.', READY),
        503: readiness('It cannot, or is shutting down.', {
          ...READY,
          status: 'not ready',
          checks: { store: 'failed', queue: 'ok' },
        }),
        ...problemResponses([]),
      },
    },
  },
  '/openapi.json': {
    get: {
      ...common,
      operationId: 'getOpenApi',
      summary: 'This document',
      responses: {
        200: {
          description: 'OpenAPI 3.1, with the routes that exist here.',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: { openapi: { const: '3.1.0' } },
                required: ['openapi'],
                additionalProperties: true,
              },
            },
          },
        },
        ...problemResponses([]),
      },
    },
  },
};
