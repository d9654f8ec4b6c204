import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { DecodedImage, Encoder } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { codeOf, startOrigin, startService, targetFor, temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

/** An origin whose answers wait until they are let go. */
async function startHeldOrigin() {
  const photo = await photograph();
  const held: ServerResponse[] = [];
  const origin = await startOrigin((_request, response) => held.push(response));
  const answerAll = (answer: (response: ServerResponse) => void) => {
    for (const response of held.splice(0)) answer(response);
  };
  return { origin, held, answerAll, letGo: () => answerAll((response) => response.end(photo)) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((turn) => setImmediate(turn));
}

/** The real encoder, and how often it was asked for a variant. */
function countingEncoder() {
  const real = createSharpEncoder({ concurrency: 2, maxPixels: 10_000_000 });
  const encodes = { count: 0 };
  const encoder: Encoder = {
    async decode(...args) {
      const image = await real.decode(...args);
      const encode: DecodedImage['encode'] = (request) => {
        encodes.count++;
        return image.encode(request);
      };
      return { facts: image.facts, encode };
    },
  };
  return { encoder, encodes };
}

/** A store that does everything but what is named. */
function failing(store: VariantStore, ...operations: (keyof VariantStore)[]): VariantStore {
  const fail = () => Promise.reject(new Error('the disk is on fire'));
  return { ...store, ...Object.fromEntries(operations.map((operation) => [operation, fail])) };
}

describe('many requests at once', () => {
  it('for one new variant make one fetch and one encode', async () => {
    const { origin, held, letGo } = await startHeldOrigin();
    const { encoder, encodes } = countingEncoder();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { encoder });
    const target = await targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const asked = Array.from({ length: 100 }, (_, index) =>
      service.request(target, index % 2 ? { method: 'HEAD' } : {}),
    );
    await until(() => held.length > 0);
    letGo();
    const responses = await Promise.all(asked);
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(responses.map(({ headers }) => headers.get('etag'))).size).toBe(1);
    expect(origin.requests).toHaveLength(1);
    expect(encodes.count).toBe(1);
    expect(service.log.filter(({ joined }) => joined)).toHaveLength(99);
    expect(service.log.filter(({ bytesIn }) => bytesIn !== undefined)).toHaveLength(1);
    expect(
      (await readdir(service.folder, { recursive: true })).filter((file) => file.endsWith('.jpeg')),
    ).toHaveLength(1);
  });

  it('for one broken source make one fetch, and all learn why', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const target = await targetFor(`${origin.url}/a.jpg`);
    const asked = Array.from({ length: 20 }, () => service.request(target));
    await until(() => held.length > 0);
    answerAll((response) => response.writeHead(404).end());
    const codes = await Promise.all((await Promise.all(asked)).map(codeOf));
    expect(new Set(codes)).toEqual(new Set(['source_not_found']));
    expect(origin.requests).toHaveLength(1);
  });

  it('for more new variants than may wait are told to come back, those that join others are not', async () => {
    const { origin, held, letGo } = await startHeldOrigin();
    const service = await startService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
      CONCURRENCY: '1',
      QUEUE_LIMIT: '2',
    });
    const ask = async (name: number) =>
      service.request(await targetFor(`${origin.url}/${name}.jpg`, { width: 160 }));
    const inside = [ask(1), ask(2), ask(3), ask(1), ask(2), ask(3)];
    await until(() => held.length === 3);
    const refused = await ask(4);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await codeOf(refused)).toBe('overloaded');
    letGo();
    for (const response of await Promise.all(inside)) expect(response.status).toBe(200);
    const again = ask(4);
    await until(() => held.length === 1);
    letGo();
    expect((await again).status).toBe(200);
  });

  it('for the images of one host are not kept waiting for each other, however slow it is', async () => {
    const { origin, held, letGo } = await startHeldOrigin();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, CONCURRENCY: '25' });
    const asked = Array.from({ length: 50 }, async (_, name) =>
      service.request(await targetFor(`${origin.url}/${name}.jpg`, { width: 160 })),
    );
    await until(() => held.length === 50);
    letGo();
    for (const response of await Promise.all(asked)) expect(response.status).toBe(200);
  });

  it('for a host that hangs do not stop those for another', async () => {
    const { origin: slow, held, letGo } = await startHeldOrigin();
    const photo = await photograph();
    const quick = await startOrigin((_request, response) => response.end(photo));
    const service = await startService({
      SOURCE_ALLOW_PRIVATE: `${slow.authority},${quick.authority}`,
      CONCURRENCY: '1',
    });
    const ask = async (url: string) => service.request(await targetFor(url, { width: 160 }));
    const waiting = Array.from({ length: 60 }, (_, name) => ask(`${slow.url}/${name}.jpg`));
    await until(() => held.length > 0);
    expect((await ask(`${quick.url}/a.jpg`)).status).toBe(200);
    while (held.length > 0) {
      letGo();
      await Promise.race([Promise.all(waiting), until(() => held.length > 0)]);
    }
    for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
  });

  it('find what is stored even when nothing more can be made', async () => {
    const { origin, held, letGo } = await startHeldOrigin();
    const service = await startService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
      CONCURRENCY: '1',
      QUEUE_LIMIT: '0',
    });
    const ask = async (name: number) =>
      service.request(await targetFor(`${origin.url}/${name}.jpg`, { width: 160 }));
    const first = ask(1);
    await until(() => held.length === 1);
    letGo();
    await first;
    const second = ask(2);
    await until(() => held.length === 1);
    expect((await ask(1)).headers.get('cache-status')).toBe('edgepress; hit');
    expect(await codeOf(await ask(3))).toBe('overloaded');
    letGo();
    await second;
  });
});

describe('a bug', () => {
  it('is answered as ours, logged, and not held against the source', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const encoder: Encoder = { decode: () => Promise.reject(new TypeError('secret is not a function')) };
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { encoder });
    for (let times = 1; times <= 2; times++) {
      const response = await service.request(await targetFor(`${origin.url}/a.jpg`));
      expect(response.status).toBe(500);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ code: 'internal' });
      expect(text).not.toContain('secret');
      expect(origin.requests).toHaveLength(times);
    }
    expect(service.log).toContainEqual(expect.objectContaining({ level: 50 }));
  });
});

describe('a store that fails', () => {
  async function setUp(...operations: (keyof VariantStore)[]) {
    const photo = await photograph();
    const origin = await startOrigin((request, response) =>
      request.url === '/gone' ? response.writeHead(404).end() : response.end(photo),
    );
    const root = await temporaryFolder();
    const store = failing(createFileStore({ root }), ...operations);
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { store });
    return { origin, service, target: (path = '/a.jpg') => targetFor(origin.url + path, { width: 160 }) };
  }

  it('to be read counts as a miss', async () => {
    const { origin, service, target } = await setUp('get');
    for (let times = 0; times < 2; times++) {
      const response = await service.request(await target());
      expect([response.status, response.headers.get('cache-status')]).toEqual([
        200,
        // It was, and was taken back: whether the unit was purged meanwhile cannot be known.
        'edgepress; fwd=miss',
      ]);
    }
    expect(origin.requests).toHaveLength(2);
    expect(service.storeFaults()).toEqual({ get: 6 });
  });

  it('to be written costs the viewer nothing, and is logged and counted', async () => {
    const { service, target } = await setUp('put');
    const response = await service.request(await target());
    expect([response.status, response.headers.get('cache-status')]).toEqual([200, 'edgepress; fwd=miss']);
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(service.storeFaults()).toEqual({ put: 1 });
    expect(service.log).toContainEqual(expect.objectContaining({ operation: 'put', level: 40 }));
  });

  it('altogether still lets a broken source be named', async () => {
    const { service, target } = await setUp('get', 'put', 'delete');
    expect(await codeOf(await service.request(await target('/gone')))).toBe('source_not_found');
  });
});
