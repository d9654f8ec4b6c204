import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf, startOrigin, startService, targetFor } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

/** A service that ignores `token`, and an origin that has a photograph for the tokens that are valid. */
async function setUp() {
  const photo = await photograph();
  const valid = new Set(['token=1']);
  const asked: string[] = [];
  const origin = await startOrigin((request, response) => {
    const [, query = ''] = (request.url ?? '').split('?');
    asked.push(query);
    if (valid.has(query.split('&')[0] ?? '')) response.end(photo);
    else response.writeHead(403).end('expired');
  });
  const service = await startService({
    SOURCE_ALLOW_PRIVATE: origin.authority,
    SOURCE_IGNORED_PARAMETERS: '{"127.0.0.1": ["token"]}',
  });
  const request = async (query: string) =>
    await service.request(targetFor(`${origin.url}/a.jpg?${query}`, { width: 160 }));
  const files = () => readdir(join(service.folder, 'v1'), { recursive: true });
  return { request, valid, asked, files };
}

describe('a source whose URL changes while the picture does not', () => {
  it('leads to the stored variant by any of its URLs', async () => {
    const { request, asked } = await setUp();
    const first = await request('token=1');
    const second = await request('token=2');
    expect([first, second].map(({ headers }) => headers.get('cache-status'))).toEqual([
      'edgepress; fwd=miss; stored',
      'edgepress; hit',
    ]);
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(asked).toEqual(['token=1']);
  });

  it('is another source where another parameter differs', async () => {
    const { request, asked } = await setUp();
    await request('token=1&v=1');
    expect((await request('token=1&v=2')).headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
    expect(asked).toEqual(['token=1&v=1', 'token=1&v=2']);
  });

  it('is fetched by a new URL although an expired one has just failed', async () => {
    const { request, valid, asked, files } = await setUp();
    expect(await codeOf(await request('token=0'))).toBe('source_unavailable');
    expect(await codeOf(await request('token=0'))).toBe('source_unavailable');
    expect(asked).toEqual(['token=0']);
    valid.add('token=2');
    expect((await request('token=2')).status).toBe(200);
    expect((await request('token=0')).headers.get('cache-status')).toBe('edgepress; hit');
    expect(asked).toEqual(['token=0', 'token=2']);
    // The record of the failure is gone with the first success.
    expect((await files()).filter((file) => file.endsWith('source.json'))).toEqual([]);
  });
});
