import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { buildEdgeFunction } from '../../infra/bundle/build-edge-function.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { describeEdge, type EdgeOutcome, runUnderNjs, type SentRequest } from '../support/edge/njs.ts';
import { anyRequest, KEYS, KEYS_TEXT, sign } from '../support/edge/requests.ts';
import { type Service, startService } from '../support/http/service.ts';

const LADDER = { widths: [160, 320, 480, 720, 1080, 1600, 2048], defaultWidth: 1080 };
const SRC = `src=${encodeURIComponent('https://example.com/a.jpg')}`;
let code: string;
beforeAll(() => {
  code = buildEdgeFunction(LADDER);
});

const get = (target: string, headers: SentRequest['headers'] = {}): SentRequest => ({
  method: 'GET',
  target,
  headers,
});

async function ask(requests: readonly SentRequest[], keys: string | null = KEYS_TEXT) {
  return await runUnderNjs(code, keys, requests);
}

describeEdge('the edge function', () => {
  it('sends on the key of the variant, and the target as it was sent', async () => {
    const target = sign("/u/unit-1?src=https://example.com/it's%20(1)!*+.jpg&w=700");
    const [outcome] = await ask([get(target, { accept: 'image/avif', 'save-data': 'on' })]);
    expect(outcome).toMatchObject({
      uri: expect.stringMatching(/^\/v1\/[0-9a-f]{2}\/unit-1\/[0-9a-f]{32}\/720-saver\.avif$/),
      querystring: { r: { value: Buffer.from(target).toString('base64url') } },
    });
    expect(Object.keys((outcome as { querystring: object }).querystring)).toEqual(['r']);
  });

  it('takes every key that is valid now, and passes over what is none', async () => {
    const targets = KEYS.map((key) => get(sign(`/u/a?${SRC}`, key)));
    expect((await ask(targets)).map(codeOf)).toEqual(['forwarded', 'forwarded']);
    expect((await ask(targets, `k1:${KEYS[0].hex}`)).map(codeOf)).toEqual(['forwarded', 'bad_signature']);
    expect((await ask(targets, `old:short,k2, k1:${KEYS[0].hex} ,`)).map(codeOf)).toEqual([
      'forwarded',
      'bad_signature',
    ]);
  });

  it('refuses everything where there is no key that it can read', async () => {
    const requests = [get(`/u/a?${SRC}`), get(sign(`/u/a?${SRC}`))];
    for (const keys of [null, '', 'nonsense', 'k1:00', 'k1:']) {
      expect((await ask(requests, keys)).map(codeOf), String(keys)).toEqual([
        'bad_signature',
        'bad_signature',
      ]);
    }
  });

  it('answers what it refuses with a problem document that nobody keeps', async () => {
    const [unsigned, none] = await ask([get(`/u/a?${SRC}`), { ...get('/u/a'), method: 'HEAD' }]);
    expect(unsigned).toMatchObject({
      statusCode: 403,
      statusDescription: 'Forbidden',
      headers: {
        'content-type': { value: 'application/problem+json' },
        'cache-control': { value: 'no-store' },
        'access-control-allow-origin': { value: '*' },
      },
    });
    expect(none).toMatchObject({ statusCode: 400 });
    expect(none).not.toHaveProperty('body');
  });

  it('is not built longer than CloudFront takes it', () => {
    const widths = Array.from({ length: 300 }, (_, index) => index + 1);
    expect(() => buildEdgeFunction({ widths, defaultWidth: 1 })).toThrow(/bytes: CloudFront takes 10240/);
  });

  it('agrees with the server on the key or on the error, whatever is sent', async () => {
    const requests = fc.sample(anyRequest, 2500);
    const service = await startService({ SIGNING_KEYS: KEYS_TEXT }, { store: echoStore() });
    const atEdge = (await ask(requests)).map(describeOutcome);
    const seen = new Set<string>();
    for (const [index, request] of requests.entries()) {
      const inApp = await askApp(service, request);
      expect(atEdge[index], JSON.stringify(request)).toEqual(inApp);
      seen.add(inApp.code);
    }
    // Or the two would agree on little.
    const codes = ['forwarded', 'bad_request', 'bad_signature', 'expired', 'not_found', 'method_not_allowed'];
    expect([...seen]).toEqual(expect.arrayContaining([...codes, 'source_forbidden']));
  });
});

/** What is comparable of an answer: the key that it leads to, or all that is said of the error. */
interface Comparable {
  code: string;
  key?: string;
  target?: string;
  status?: number;
  body?: string;
  headers?: Record<string, string | undefined>;
}

const COMPARED_HEADERS = [
  'content-type',
  'cache-control',
  'allow',
  'content-security-policy',
  'x-content-type-options',
];

function codeOf(outcome: EdgeOutcome): string {
  return 'uri' in outcome ? 'forwarded' : (JSON.parse(outcome.body?.data ?? '{}').code ?? 'no body');
}

function describeOutcome(outcome: EdgeOutcome): Comparable {
  if ('uri' in outcome) {
    const target = Buffer.from(String(outcome.querystring['r']?.value), 'base64url').toString('latin1');
    return { code: 'forwarded', key: outcome.uri.slice(1), target };
  }
  const { statusCode: status, body, headers } = outcome;
  return describeProblem(status, body?.data ?? '', (name) => headers[name]?.value);
}

async function askApp(service: Service, { method, target, headers }: SentRequest): Promise<Comparable> {
  const sent = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    [value].flat().join(', '),
  ]);
  const response = await service.request(target, { method, headers: sent });
  const body = await response.text();
  if (response.status !== 200)
    return describeProblem(response.status, body, (name) => response.headers.get(name) ?? undefined);
  const key = response.headers.get('etag')?.replaceAll('"', '') ?? '';
  return { code: 'forwarded', key, target };
}

function describeProblem(
  status: number,
  body: string,
  header: (name: string) => string | undefined,
): Comparable {
  const headers = Object.fromEntries(COMPARED_HEADERS.map((name) => [name, header(name)]));
  const code = body === '' ? `no body, ${status}` : (JSON.parse(body) as { code: string }).code;
  return { code, status, body, headers };
}

/** Has everything: its key is what it is known by. */
function echoStore(): VariantStore {
  const fail = () => Promise.reject(new Error('nothing is to be stored'));
  return {
    get: async (key) => ({
      body: new Uint8Array(1),
      bytes: 1,
      contentType: 'image/avif',
      cacheControl: 'no-store',
      etag: `"${key}"`,
      metadata: {},
    }),
    head: async () => undefined,
    put: fail,
    replace: fail,
    delete: async () => {},
    deleteIfMatch: async () => {},
    async *list() {},
  };
}
