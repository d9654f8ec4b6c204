import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildEdgeFunction } from '../../infra/bundle/build-edge-function.ts';
import { createKeyHash } from '../../src/hashing.ts';
import {
  DEAD_LETTER_PREFIX,
  MANIFEST_NAME,
  SWEEP_PROGRESS_KEY,
  TOMBSTONE_PREFIX,
  variantAddress,
} from '../../src/protocol/keys.ts';
import { CACHE_TAG_HEADER } from '../../src/protocol/metadata.ts';
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

/** Runs the edge function. `keys` is the item of the key value store; `null`: it is missing. */
async function run(requests: readonly SentRequest[], keys: string | null = KEYS_TEXT) {
  return await runUnderNjs(code, keys, requests);
}

describe('buildEdgeFunction', () => {
  it('throws when the function is longer than CloudFront allows', () => {
    const widths = Array.from({ length: 300 }, (_, index) => index + 1);
    expect(() => buildEdgeFunction({ widths, defaultWidth: 1 })).toThrow(/bytes: CloudFront takes 10240/);
  });

  it('leaves out the parts of the store layout that the edge does not use', () => {
    expect(code).toContain('v1');
    for (const unused of [
      TOMBSTONE_PREFIX,
      DEAD_LETTER_PREFIX,
      SWEEP_PROGRESS_KEY,
      MANIFEST_NAME,
      CACHE_TAG_HEADER,
    ])
      expect(code).not.toContain(unused);
  });
});

describeEdge('The edge function', () => {
  it('rewrites a request to the key of its variant, with the original target in r', async () => {
    const target = sign("/u/unit-1?src=https://example.com/it's%20(1)!*+.jpg&w=700");
    const [outcome] = await run([get(target, { accept: 'image/avif', 'save-data': 'on' })]);
    expect(outcome).toMatchObject({
      uri: expect.stringMatching(/^\/v1\/[0-9a-f]{2}\/unit-1\/[0-9a-f]{32}\/720-saver\.avif$/),
      querystring: { r: { value: Buffer.from(target).toString('base64url') } },
    });
    expect(Object.keys((outcome as { querystring: object }).querystring)).toEqual(['r']);
  });

  it.each([
    ['both keys', KEYS_TEXT, ['forwarded', 'forwarded']],
    ['the first key only', `k1:${KEYS[0].hex}`, ['forwarded', 'bad_signature']],
    ['a key among damaged entries', `old:short,k2, k1:${KEYS[0].hex} ,`, ['forwarded', 'bad_signature']],
  ])('accepts URLs signed with %s of the store', async (_name, stored, codes) => {
    const requests = KEYS.map((key) => get(sign(`/u/a?${SRC}`, key)));
    expect((await run(requests, stored)).map(codeOf)).toEqual(codes);
  });

  it.each([
    ['is missing', null],
    ['is empty', ''],
    ['is not a list of keys', 'nonsense'],
    ['holds a short key', 'k1:00'],
    ['holds an empty key', 'k1:'],
  ])('refuses every request when the item with the keys %s', async (_name, stored) => {
    const requests = [get(`/u/a?${SRC}`), get(sign(`/u/a?${SRC}`))];
    expect((await run(requests, stored)).map(codeOf)).toEqual(['bad_signature', 'bad_signature']);
  });

  it('answers a request that it refuses with a problem document that is not cached', async () => {
    const [unsigned] = await run([get(`/u/a?${SRC}`)]);
    expect(unsigned).toMatchObject({
      statusCode: 403,
      statusDescription: 'Forbidden',
      headers: {
        'content-type': { value: 'application/problem+json' },
        'cache-control': { value: 'no-store' },
        'access-control-allow-origin': { value: '*' },
      },
    });
  });

  it('leads a source that was signed anew to the same key, where its parameters are ignored', async () => {
    const rules = [{ host: '*.amazonaws.com', names: ['X-Amz-*'] }];
    const built = buildEdgeFunction(LADDER, rules);
    const sources = ['X-Amz-Signature=a&v=1', 'v=1&X-Amz-Signature=b', 'v=2', ''].map(
      (query) => `https://bucket.s3.amazonaws.com/a.jpg?${query}`,
    );
    const requests = sources.map((src) =>
      get(sign(`/u/a?src=${encodeURIComponent(src)}&w=160&q=high&f=webp`)),
    );
    const keys = (await runUnderNjs(built, KEYS_TEXT, requests)).map(
      (outcome) => 'uri' in outcome && outcome.uri,
    );
    expect(keys).toEqual(
      sources.map((src) => {
        const name = { unit: 'a', src, width: 160, tier: 'high', format: 'webp' } as const;
        return `/${variantAddress(name, createKeyHash(rules)).key}`;
      }),
    );
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(3);
  });

  it('answers a CORS preflight as the server does', async () => {
    const [answer] = await run([{ ...get(`/u/a?${SRC}`), method: 'OPTIONS' }]);
    const { status, headers } = await (await startService()).request(`/u/a?${SRC}`, { method: 'OPTIONS' });
    expect(answer).toMatchObject({ statusCode: status });
    const sent = Object.entries((answer as { headers: Record<string, { value: string }> }).headers);
    expect(sent.length).toBeGreaterThan(5);
    for (const [name, { value }] of sent) expect(headers.get(name), name).toBe(value);
  });

  it('answers HEAD without a body', async () => {
    const [refused] = await run([{ ...get('/u/a'), method: 'HEAD' }]);
    expect(refused).toMatchObject({ statusCode: 400 });
    expect(refused).not.toHaveProperty('body');
  });

  it('agrees with the server on the key or the error of any request', async () => {
    const requests = fc.sample(anyRequest, 2500);
    const service = await startService({ SIGNING_KEYS: KEYS_TEXT }, { store: echoStore() });
    const atEdge = (await run(requests)).map(comparableOutcome);
    const codes = new Set<string>();
    for (const [index, request] of requests.entries()) {
      const atServer = await requestServer(service, request);
      expect(atEdge[index], JSON.stringify(request)).toEqual(atServer);
      codes.add(atServer.code);
    }
    // Otherwise the sample would say little.
    expect([...codes]).toEqual(
      expect.arrayContaining([
        ...['forwarded', 'bad_request', 'bad_signature', 'expired', 'not_found', 'source_forbidden'],
      ]),
    );
  });
});

/** The parts of an outcome that edge and server must agree on: the key that it leads to, or the error. */
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

function comparableOutcome(outcome: EdgeOutcome): Comparable {
  if ('uri' in outcome) {
    const target = Buffer.from(String(outcome.querystring['r']?.value), 'base64url').toString('latin1');
    return { code: 'forwarded', key: outcome.uri.slice(1), target };
  }
  const { statusCode: status, body, headers } = outcome;
  return comparableProblem(status, body?.data ?? '', (name) => headers[name]?.value);
}

async function requestServer(
  service: Service,
  { method, target, headers }: SentRequest,
): Promise<Comparable> {
  const sent = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    [value].flat().join(', '),
  ]);
  const response = await service.request(target, { method, headers: sent });
  const body = await response.text();
  if (response.status !== 200)
    return comparableProblem(response.status, body, (name) => response.headers.get(name) ?? undefined);
  const key = response.headers.get('etag')?.replaceAll('"', '') ?? '';
  return { code: 'forwarded', key, target };
}

function comparableProblem(
  status: number,
  body: string,
  header: (name: string) => string | undefined,
): Comparable {
  const headers = Object.fromEntries(COMPARED_HEADERS.map((name) => [name, header(name)]));
  const code = body === '' ? `no body, ${status}` : (JSON.parse(body) as { code: string }).code;
  // The server looks for the reason, for which the edge has no room.
  return { code, status, body: code === 'bad_signature' ? '' : body, headers };
}

/** A store that has every object, and returns its key as its ETag. */
function echoStore(): VariantStore {
  const fail = () => Promise.reject(new Error('nothing should be stored'));
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
