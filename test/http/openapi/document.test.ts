import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { createOpenApiDocument } from '../../../src/http/openapi/document.ts';
import type { MediaType } from '../../../src/http/openapi/openapi.ts';
import { createDocumentCheck, operationsOf } from '../../support/http/openapi-document.ts';
import { startService } from '../../support/http/service.ts';

const KEYS = { SIGNING_KEYS: '2026a:000102030405060708090a0b0c0d0e0f' };
const ADMIN = { ADMIN_TOKEN: 'a-token-of-operators' };
const NOTIFY = { NOTIFY: 'https://example.com/hook', NOTIFY_SECRET: `whsec_${'A'.repeat(32)}` };

const CONFIGURATIONS = [
  ['with everything', { ...KEYS, ...ADMIN, ...NOTIFY, PUBLIC_URL: 'https://images.edgepress.test' }],
  ['with nothing', {}],
] as const;

function documentOf(env: Record<string, string>) {
  return createOpenApiDocument(readConfig(env));
}

describe.each(CONFIGURATIONS)('The OpenAPI document of a service %s', (_name, env) => {
  it('has no fault that the recommended rules of a linter find', async () => {
    // Routes without parameters have nothing to refuse.
    const rules = { 'operation-4xx-response': 'off' } as const;
    const config = await createConfig({ extends: ['recommended-strict'], rules });
    const faults = await lintFromString({ source: JSON.stringify(documentOf(env)), config });
    expect(faults.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
      [],
    );
  });

  it('has examples that are as their schemas say, and no keyword that JSON Schema does not know', () => {
    const document = documentOf(env);
    const { errorsOf } = createDocumentCheck(document);
    const items = { ...document.paths, ...document.webhooks };
    const faults = operationsOf(items).flatMap(({ operation }) => {
      const bodies = [operation.requestBody, ...Object.values(operation.responses)];
      const media = bodies.flatMap((body) => Object.values(body?.content ?? {}));
      const parameters = (operation.parameters ?? []).filter(({ example }) => example !== undefined);
      return [
        ...media.flatMap((each) => examplesOf(each).map((example) => errorsOf(each.schema ?? {}, example))),
        ...parameters.map(({ schema, example }) => errorsOf(schema, example)),
      ];
    });
    expect(faults.length).toBeGreaterThan(20);
    expect(faults.flat()).toEqual([]);
  });
});

function examplesOf({ example, examples = {} }: MediaType): unknown[] {
  return [example, ...Object.values(examples).map(({ value }) => value)].filter((each) => each !== undefined);
}

describe('GET /openapi.json', () => {
  it('needs no token, may be read by pages of any origin and cached for minutes', async () => {
    const service = await startService({ ...ADMIN, ...KEYS });
    const response = await service.request('/openapi.json');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=300',
    });
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(documentOf({ ...ADMIN, ...KEYS }))));
  });

  it('has the routes of units and their token only where there is a token', () => {
    expect(Object.keys(documentOf({}).paths)).toEqual(['/u/{unit}', '/healthz', '/readyz', '/openapi.json']);
    expect(documentOf({}).components.securitySchemes).toBeUndefined();
    expect(Object.keys(documentOf(ADMIN).paths)).toContain('/units/{id}');
    expect(documentOf(ADMIN).components.securitySchemes).toHaveProperty('adminToken');
  });

  it('has webhooks only where NOTIFY has one', () => {
    expect(documentOf({ NOTIFY: '-' }).webhooks).toBeUndefined();
    expect(Object.keys(documentOf(NOTIFY).webhooks ?? {})).toEqual(['unit.completed', 'unit.failed']);
  });

  it('requires a signature only where there are keys', () => {
    const names = (env: Record<string, string>) =>
      documentOf(env)
        .paths['/u/{unit}']?.get?.parameters?.filter((each) => each.required)
        .map(({ name }) => name);
    expect(names({})).toEqual(['unit', 'src']);
    expect(names(KEYS)).toEqual(['unit', 'src', 'sig']);
  });

  it('says where the service is, and which widths it makes', () => {
    const { servers, paths } = documentOf({
      PUBLIC_URL: 'https://images.edgepress.test',
      WIDTHS: '100,200',
      DEFAULT_WIDTH: '200',
    });
    expect(servers).toEqual([{ url: 'https://images.edgepress.test' }]);
    const width = paths['/u/{unit}']?.get?.parameters?.find(({ name }) => name === 'w');
    expect(width?.description).toContain('100, 200');
    expect(width?.schema).toMatchObject({ default: 200 });
  });
});
