import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../../../src/http/listen.ts';
import { METHODS, type OpenApiDocument } from '../../../src/http/openapi/openapi.ts';
import { type ApiAnswer, createAnswerCheck, createApiClient } from '../../support/http/api-answers.ts';
import { type ApiRequest, mutated, validRequests } from '../../support/http/api-requests.ts';
import { createDocumentCheck, operationsOf } from '../../support/http/openapi-document.ts';
import { startAdminService, TOKEN, unitLine } from '../../support/http/operator.ts';
import { startOrigin, until } from '../../support/http/service.ts';
import { startReceiver } from '../../support/notify/receiver.ts';
import { quarters } from '../../support/pictures.ts';

const SEED = 20261129;
/** Most of the time goes into making and checking requests, and depends on the machine. */
const LONG = { timeout: 180_000 };
const AUTHORIZATION = { authorization: `Bearer ${TOKEN}` };

/** A client's server with an image and with all that can be wrong with one. */
async function startImages() {
  const picture = await quarters(48, 32).png().toBuffer();
  const answers: Record<string, [status: number, body: Buffer | string]> = {
    '/picture.png': [200, picture],
    '/cut.png': [200, picture.subarray(0, picture.length / 2)],
    '/page': [200, '<!doctype html><title>Hello</title>'],
    '/missing.png': [404, ''],
    '/failing.png': [500, ''],
  };
  const origin = await startOrigin((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, ''];
    response.writeHead(status).end(body);
  });
  return { origin, sources: Object.keys(answers).map((path) => origin.url + path) };
}

/** A service that listens and has units, its own document, and what makes requests from that and checks their answers. */
async function setUp(env: Record<string, string> = {}) {
  const { origin, sources } = await startImages();
  const { service, ingest, queueIsEmpty } = await startAdminService({
    ...{ SOURCE_ALLOW: `${origin.url}/*`, SOURCE_ALLOW_PRIVATE: origin.authority, WIDTHS: '160,320' },
    ...env,
  });
  await ingest(unitLine('unit-1', ...sources));
  await queueIsEmpty();
  const { app, handleImage } = service;
  const listener = await listen(app, { host: '127.0.0.1', port: 0, handleImage });
  const client = createApiClient(listener.url);
  onTestFinished(async () => {
    await client.close();
    await listener.close(0);
  });
  const document = (await (await service.request('/openapi.json')).json()) as OpenApiDocument;
  const values = {
    // Most of them lead to an image: else there would be refusals only.
    src: fc.oneof(
      { weight: 4, arbitrary: fc.constant(sources[0] ?? '') },
      { weight: 3, arbitrary: fc.constantFrom(...sources) },
      fc.webUrl(),
    ),
    exp: fc.constantFrom('4102444800', '99999999999', '4000000000', '0', '1700000000'),
    id: fc.oneof(fc.constantFrom('unit-1', 'unit-2'), fc.stringMatching(/^[a-z]{1,9}$/)),
    Range: fc.constantFrom('bytes=0-9', 'bytes=5-', 'bytes=-5', 'bytes=999999-', 'items=1'),
  };
  const options = { document, token: TOKEN, values };
  return { document, options, client, check: createAnswerCheck(document) };
}

function assertAll(
  requests: fc.Arbitrary<ApiRequest>,
  numRuns: number,
  assertion: (request: ApiRequest) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(requests, assertion), { seed: SEED, numRuns });
}

describe('The service', () => {
  it('answers what its OpenAPI document allows, and as that says', LONG, async () => {
    const { document, options, client, check } = await setUp();
    for (const each of operationsOf(document.paths)) {
      const statuses = new Set<number>();
      await assertAll(validRequests(each, options), 40, async (request) => {
        const answer = await client.send(request);
        statuses.add(answer.status);
        expect(check(request, answer)).toEqual([]);
        // Of lines, only what each has to be is described; a place within packs is one for pending units only.
        if (each.path !== '/units') expect([400, 401]).not.toContain(answer.status);
      });
      const name = `${each.method} ${each.path}`;
      expect([name, [...statuses].some((status) => status < 300)]).toEqual([name, true]);
    }
  });

  it(
    'answers requests that were changed in any way with a documented status and content, and never with 500',
    LONG,
    async () => {
      const { document, options, client, check } = await setUp();
      for (const each of operationsOf(document.paths)) {
        await assertAll(mutated(validRequests(each, options)), 60, async (request) => {
          expect(check(request, await client.send(request))).toEqual([]);
        });
      }
    },
  );

  it('refuses signatures of any other key, as its document says', async () => {
    const { document, options, client, check } = await setUp({
      SIGNING_KEYS: '2026a:000102030405060708090a0b0c0d0e0f',
    });
    const image = operationsOf(document.paths)
      .filter(({ method }) => method === 'get')
      .slice(0, 1);
    for (const each of image) {
      await assertAll(validRequests(each, options), 40, async (request) => {
        const answer = await client.send(request);
        expect(answer.status).toBe(403);
        expect(check(request, answer)).toEqual([]);
      });
    }
  });

  it('sends events as its document says', async () => {
    const { env, attempts } = await startReceiver();
    const { document } = await setUp(env);
    await until(() => attempts.length > 0);
    const [attempt] = attempts;
    const { strictErrorsOf } = createDocumentCheck(document);
    const { parameters = [], requestBody } = document.webhooks?.['unit.completed']?.post ?? {};
    expect(strictErrorsOf(requestBody?.content['application/json']?.schema ?? {}, attempt?.event)).toEqual(
      [],
    );
    expect(parameters.flatMap(({ name, schema }) => strictErrorsOf(schema, attempt?.headers[name]))).toEqual(
      [],
    );
    expect(parameters).toHaveLength(3);
  });

  it('answers HEAD with the status and the headers of GET, and without a body', LONG, async () => {
    const { document, options, client } = await setUp();
    for (const each of operationsOf(document.paths).filter(({ method }) => method === 'get')) {
      const requests = fc.oneof(validRequests(each, options), mutated(validRequests(each, options)));
      await assertAll(requests, 30, async (request) => {
        // Only GET has ranges. The first request may have to make the image.
        const { range: _range, Range: _sameRange, ...headers } = request.headers;
        const ask = (method: string) => client.send({ ...request, method, headers, body: undefined });
        await ask('GET');
        const got = await ask('GET');
        const head = await ask('HEAD');
        expect(head.body).toHaveLength(0);
        expect([head.status, comparable(head)]).toEqual([got.status, comparable(got)]);
      });
    }
  });

  it('answers 405 with the documented methods in Allow to all others', async () => {
    const { document, client, check } = await setUp();
    for (const [path, item] of Object.entries(document.paths)) {
      // As the id of a unit it has more methods.
      if (path === '/units/purge') continue;
      const target = path.replace(/\{\w+\}/, 'unit-1');
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE', 'PUT', 'PATCH', 'QUERY']) {
        if (Object.keys(item).includes(method.toLowerCase())) continue;
        const request = { method, target, headers: AUTHORIZATION, body: undefined };
        const answer = await client.send(request);
        expect(check(request, answer)).toEqual([]);
        const allowed = METHODS.filter((each) => item[each]).map((each) => each.toUpperCase());
        expect(answer.headers['allow']?.split(', ').sort()).toEqual(allowed.sort());
      }
    }
  });
});

/** Headers that are the same each time; of the others, that they are there. */
function comparable({ headers }: ApiAnswer): Record<string, string | undefined> {
  const changing = ['date', 'server-timing', 'x-request-id', 'retry-after', 'cache-control'];
  return Object.fromEntries(
    Object.entries(headers)
      // Connections end when they want. What says how long a body is may be left out where there is none.
      .filter(([name]) => !['connection', 'keep-alive', 'content-length', 'transfer-encoding'].includes(name))
      .map(([name, value]) => [name, changing.includes(name) ? 'some' : value]),
  );
}
