import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { manifestsIn, startForbiddingService, TOKEN, unitLine } from '../support/http/operator.ts';
import { toZstd, zstdBomb } from '../support/unit/zstd.ts';

const LINE = unitLine('unit-1', 'https://images.test/a.jpg');

async function post(body: string | Uint8Array, headers: Record<string, string>) {
  const { service } = await startForbiddingService();
  const response = await service.request('/units', {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
    body: Buffer.from(body),
  });
  const answer = (await response.json()) as { code?: string; detail?: string; accepted?: number };
  return { status: response.status, answer, manifests: await manifestsIn(service.folder) };
}

describe('the body of POST /units', () => {
  it.each([
    ['NDJSON', LINE, { 'Content-Type': 'application/x-ndjson' }],
    ['a unit as JSON', LINE, { 'Content-Type': 'application/json; charset=utf-8' }],
    ['an array', `[${LINE}]`, { 'Content-Type': 'application/json' }],
    ['what curl calls a form', LINE, { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['CSV', 'id,url\nunit-1,https://images.test/a.jpg', { 'Content-Type': 'text/csv' }],
    ['gzip that says so', gzipSync(LINE), { 'Content-Encoding': 'gzip' }],
    ['gzip that does not', gzipSync(LINE), {}],
    ['zstd that says so', toZstd(Buffer.from(LINE)), { 'Content-Encoding': 'zstd' }],
    ['what a proxy has decompressed', LINE, { 'Content-Encoding': 'gzip' }],
  ])('may be %s', async (_what, body, headers) => {
    const { status, manifests } = await post(body, headers as Record<string, string>);
    expect([status, Object.keys(manifests)]).toEqual([202, ['unit-1']]);
  });

  it.each([
    ['in another encoding', LINE, { 'Content-Encoding': 'br' }, /`br` is none of gzip, zstd, identity/],
    ['in a form', LINE, { 'Content-Type': 'multipart/form-data; boundary=x' }, /--data-binary @FILE/],
    ['that is an image', LINE, { 'Content-Type': 'image/png' }, /`image\/png` has no units/],
    ['that is a workbook', 'PK\x03\x04', {}, /save it as CSV/],
  ])(
    'is refused with 415 and a line to send instead if it is one %s',
    async (_what, body, headers, detail) => {
      const { status, answer, manifests } = await post(body, headers as Record<string, string>);
      expect([status, manifests]).toEqual([415, {}]);
      expect(answer).toMatchObject({
        code: 'unsupported_media_type',
        detail: expect.stringMatching(detail),
      });
      expect(answer.detail).toContain('{"id":"unit-1"');
    },
  );

  it.each([
    ['gzip', gzipSync(Buffer.alloc(2 ** 26, '\n'))],
    ['zstd', zstdBomb(2 ** 18)],
  ])('is refused once it shows that it is a bomb of %s', async (_what, bomb) => {
    const { status, answer } = await post(bomb, {});
    expect(status).toBe(400);
    expect(answer.detail).toMatch(/250 times as long/);
  });
});
