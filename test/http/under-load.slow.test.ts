import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DecodedImage, Encoder } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import {
  codeOf,
  startHeldOrigin,
  startOrigin,
  startService,
  targetFor,
  until,
} from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

/** The real encoder, with a count of the variants it was asked for. */
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
      return { ...image, encode };
    },
  };
  return { encoder, encodes };
}

describe('Many requests at the same time', () => {
  it('share one fetch and one encode if they are for the same new variant', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { encoder, encodes } = countingEncoder();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { encoder });
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const requests = Array.from({ length: 100 }, (_, index) =>
      service.request(target, index % 2 ? { method: 'HEAD' } : {}),
    );
    await until(() => held.length > 0);
    answerAll();
    const responses = await Promise.all(requests);
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(responses.map(({ headers }) => headers.get('etag'))).size).toBe(1);
    expect(origin.requests).toHaveLength(1);
    expect(encodes.count).toBe(1);
    expect(service.log.filter(({ joined }) => joined)).toHaveLength(99);
    expect(service.log.filter(({ bytesIn }) => bytesIn !== undefined)).toHaveLength(1);
    const files = await readdir(service.folder, { recursive: true });
    expect(files.filter((file) => file.endsWith('.jpeg'))).toHaveLength(1);
  });

  it('share one fetch and its error if they are for the same broken source', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const target = targetFor(`${origin.url}/a.jpg`);
    const requests = Array.from({ length: 20 }, () => service.request(target));
    await until(() => held.length > 0);
    answerAll((response) => response.writeHead(404).end());
    const codes = await Promise.all((await Promise.all(requests)).map(codeOf));
    expect(new Set(codes)).toEqual(new Set(['source_not_found']));
    expect(origin.requests).toHaveLength(1);
  });

  it('are answered overloaded if they are for more new variants than QUEUE_LIMIT, unless they join a flight', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const service = await startService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
      CONCURRENCY: '1',
      QUEUE_LIMIT: '2',
    });
    const request = async (name: number) =>
      service.request(targetFor(`${origin.url}/${name}.jpg`, { width: 160 }));
    const accepted = [request(1), request(2), request(3), request(1), request(2), request(3)];
    await until(() => held.length === 3);
    const refused = await request(4);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await codeOf(refused)).toBe('overloaded');
    answerAll();
    for (const response of await Promise.all(accepted)) expect(response.status).toBe(200);
    const again = request(4);
    await until(() => held.length === 1);
    answerAll();
    expect((await again).status).toBe(200);
  });

  it('fetch many sources of one slow host at the same time', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, CONCURRENCY: '25' });
    const requests = Array.from({ length: 50 }, async (_, name) =>
      service.request(targetFor(`${origin.url}/${name}.jpg`, { width: 160 })),
    );
    await until(() => held.length === 50);
    answerAll();
    for (const response of await Promise.all(requests)) expect(response.status).toBe(200);
  });

  it('do not block a request for another host if their host hangs', async () => {
    const { origin: slow, held, answerAll } = await startHeldOrigin();
    const photo = await photograph();
    const quick = await startOrigin((_request, response) => response.end(photo));
    const service = await startService({
      SOURCE_ALLOW_PRIVATE: `${slow.authority},${quick.authority}`,
      CONCURRENCY: '1',
    });
    const request = async (url: string) => service.request(targetFor(url, { width: 160 }));
    let answered = 0;
    const waiting = Array.from({ length: 60 }, async (_, name) => {
      const response = await request(`${slow.url}/${name}.jpg`);
      answered++;
      return response.status;
    });
    await until(() => held.length > 0);
    expect((await request(`${quick.url}/a.jpg`)).status).toBe(200);
    expect(held.length).toBeGreaterThan(0);
    await until(() => {
      answerAll();
      return answered === 60;
    });
    // Those that would wait for their host for too long are refused.
    const statuses = await Promise.all(waiting);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(8);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  });

  it('do not block a request for another host if forty hosts begin to answer and hardly send more', async () => {
    const photo = await photograph();
    const drips = await Promise.all(
      Array.from({ length: 40 }, () => startOrigin((_request, response) => void response.write('\xff'))),
    );
    const quick = await startOrigin((_request, response) => response.end(photo));
    const origins = [quick, ...drips];
    const service = await startService({
      SOURCE_ALLOW_PRIVATE: origins.map(({ authority }) => authority).join(),
      SOURCE_TIMEOUT_MS: '60000',
      CONCURRENCY: '1',
    });
    const leave = new AbortController();
    const waiting = drips.map(async ({ url }) =>
      service.request(targetFor(`${url}/a.jpg`), { signal: leave.signal }).catch(() => {}),
    );
    await until(() => drips.filter(({ requests }) => requests.length > 0).length >= 32);
    const response = await service.request(targetFor(`${quick.url}/a.jpg`, { width: 160 }));
    expect(response.status).toBe(200);
    leave.abort();
    await Promise.all(waiting);
  });

  it('leave hits unaffected if they fill the queue', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const service = await startService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
      CONCURRENCY: '1',
      QUEUE_LIMIT: '0',
    });
    const request = async (name: number) =>
      service.request(targetFor(`${origin.url}/${name}.jpg`, { width: 160 }));
    const first = request(1);
    await until(() => held.length === 1);
    answerAll();
    await first;
    const second = request(2);
    await until(() => held.length === 1);
    expect((await request(1)).headers.get('cache-status')).toBe('edgepress; hit');
    expect(await codeOf(await request(3))).toBe('overloaded');
    answerAll();
    await second;
  });
});
