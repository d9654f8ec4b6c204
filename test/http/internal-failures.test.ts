import { describe, expect, it } from 'vitest';
import type { Encoder } from '../../src/encode/encoder.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { startAdminService } from '../support/http/operator.ts';
import { codeOf, startOrigin, startService, targetFor, temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { failingStore, STORE_FAILURE } from '../support/store/failing-store.ts';

describe('A bug during an image request', () => {
  it('is answered internal, is logged, and is not saved as a failure of the source', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const encoder: Encoder = { decode: () => Promise.reject(new TypeError('secret is not a function')) };
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { encoder });
    for (let times = 1; times <= 2; times++) {
      const response = await service.request(targetFor(`${origin.url}/a.jpg`));
      expect(response.status).toBe(500);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ code: 'internal' });
      expect(text).not.toContain('secret');
      expect(origin.requests).toHaveLength(times);
    }
    expect(service.log).toContainEqual(expect.objectContaining({ level: 50 }));
  });
});

describe('An image request while the store fails', () => {
  async function setUp(...operations: ('get' | 'put' | 'delete')[]) {
    const photo = await photograph();
    const origin = await startOrigin((request, response) =>
      request.url === '/gone' ? response.writeHead(404).end() : response.end(photo),
    );
    const root = await temporaryFolder();
    const store = failingStore(createFileStore({ root }), /./, ...operations);
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { store });
    return { origin, service, target: (path = '/a.jpg') => targetFor(origin.url + path, { width: 160 }) };
  }

  it('is a miss if the store cannot be read', async () => {
    const { origin, service, target } = await setUp('get');
    for (let times = 0; times < 2; times++) {
      const response = await service.request(await target());
      expect([response.status, response.headers.get('cache-status')]).toEqual([
        200,
        // Not stored: it was removed again, because the tombstone could not be read.
        'edgepress; fwd=miss',
      ]);
    }
    expect(origin.requests).toHaveLength(2);
    expect(service.storeFaults()).toEqual({ get: 10 });
  });

  it('still gets the image if the store cannot be written, which is logged and counted', async () => {
    const { service, target } = await setUp('put');
    const response = await service.request(await target());
    expect([response.status, response.headers.get('cache-status')]).toEqual([200, 'edgepress; fwd=miss']);
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(service.storeFaults()).toEqual({ put: 1 });
    expect(service.log).toContainEqual(expect.objectContaining({ operation: 'put', level: 40 }));
  });

  it('still learns why its source is broken if every operation fails', async () => {
    const { service, target } = await setUp('get', 'put', 'delete');
    expect(await codeOf(await service.request(await target('/gone')))).toBe('source_not_found');
  });
});

describe('GET /units/{id} during an internal failure', () => {
  it('answers overloaded without the cause if the store cannot be read', async () => {
    const store = failingStore(createFileStore({ root: await temporaryFolder() }), /manifest/, 'get');
    const { adminRequest, service } = await startAdminService({}, { store });
    const response = await adminRequest('GET', '/units/unit-1');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'overloaded' });
    expect(text).not.toMatch(/fire|10\.0\.0/);
    expect(service.log).toMatchObject([{ reason: STORE_FAILURE }]);
  });

  it('answers internal to a bug, and logs it', async () => {
    const store = createFileStore({ root: await temporaryFolder() });
    const get = () => Promise.reject(new TypeError('secret is not a function'));
    const { adminRequest, service } = await startAdminService({}, { store: { ...store, get } });
    const text = await (await adminRequest('GET', '/units/unit-1')).text();
    expect(JSON.parse(text)).toMatchObject({ code: 'internal', status: 500 });
    expect(text).not.toContain('secret');
    const bug = expect.objectContaining({ level: 50, unit: 'unit-1', msg: expect.stringMatching(/a bug/) });
    expect(service.log).toContainEqual(bug);
  });
});
