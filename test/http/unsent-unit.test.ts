import { describe, expect, it } from 'vitest';
import type { UnsentUnit } from '../../src/unit/unsent.ts';
import { startAdminService, unitLine } from '../support/http/operator.ts';
import { codeOf, startOrigin, targetFor } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

async function setUp() {
  const photo = await photograph();
  const origin = await startOrigin((request, response) =>
    request.url === '/gone' ? response.writeHead(404).end() : response.end(photo),
  );
  const admin = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority });
  const view = async (path: string, width: number) =>
    await admin.service.request(targetFor(`${origin.url}${path}`, { width, format: 'webp' }));
  return { ...admin, photo, origin, view };
}

describe('GET /units/{id} of a unit that was never sent', () => {
  it('shows the variants that viewers have asked for, by the hash of their source', async () => {
    const { view, adminRequest, photo } = await setUp();
    await view('/a.jpg', 160);
    await view('/a.jpg', 320);
    await view('/gone', 160);
    const status = (await (await adminRequest('GET', '/units/unit-1')).json()) as UnsentUnit;
    expect(status).toMatchObject({
      id: 'unit-1',
      state: 'unsent',
      totals: { ready: 1, broken: 1, pending: 0 },
    });
    const ready = status.images.find(({ state }) => state === 'ready');
    expect(ready).toMatchObject({
      source: expect.stringMatching(/^[0-9a-f]{32}$/),
      sourceBytes: photo.byteLength,
      variants: [
        { width: 160, tier: 'balanced', format: 'webp', type: 'image/webp', effort: 'fast' },
        { width: 320, tier: 'balanced', format: 'webp', type: 'image/webp', effort: 'fast' },
      ],
    });
    const broken = status.images.find(({ state }) => state === 'broken');
    expect(broken).toMatchObject({ code: 'source_not_found' });
  });

  it('is 404 for a unit that nobody has asked for either', async () => {
    const { adminRequest } = await setUp();
    expect(await codeOf(await adminRequest('GET', '/units/unit-1'))).toBe('not_found');
  });

  it('is the status as ever once the unit was sent', async () => {
    const { view, ingest, finalStatus, origin } = await setUp();
    await view('/a.jpg', 160);
    await ingest(unitLine('unit-1', `${origin.url}/a.jpg`));
    expect(await finalStatus('unit-1')).not.toHaveProperty('state');
  });
});
