import { describe, expect, it } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import type { VariantSpec } from '../../src/protocol/keys.ts';
import { TOKEN } from '../support/http/operator.ts';
import { setUpUnits } from '../support/unit/set-up-units.ts';

const MADE = { widths: [160], tiers: ['balanced'], formats: ['webp'] } as const;
const ASKED: VariantSpec = { width: 320, tier: 'saver', format: 'jpeg' };

/** A unit that was prewarmed as WebP of 160 pixels, and a function that asks for variants as a viewer. */
async function setUp(env: Record<string, string> = {}) {
  const set = await setUpUnits({}, { ADMIN_TOKEN: TOKEN, ...env });
  await set.prewarm(set.unit([set.src('/a.jpg'), set.src('/b.jpg')], { ...MADE }));
  const ask = async (path: string, spec: VariantSpec, unit = 'unit-1') => {
    const url = imageUrl({ baseUrl: '', unit, src: set.src(path), ...spec });
    expect((await set.service.request(url)).status).toBe(200);
  };
  const get = async (target: string) => {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    return await (await set.service.request(target, { headers })).json();
  };
  return { ...set, ask, get };
}

const prewarmed = { ...{ width: 160, tier: 'balanced', format: 'webp' }, images: 2, state: 'prewarmed' };

describe('what was asked for of a unit', () => {
  it('is what viewers had made beside what was prewarmed, and the settings that cover both', async () => {
    const { ask, get } = await setUp();
    for (const path of ['/a.jpg', '/b.jpg', '/elsewhere.jpg']) await ask(path, ASKED);
    await ask('/a.jpg', { width: 160, tier: 'balanced', format: 'webp' });
    expect(await get('/units/unit-1?asked=1')).toEqual({
      id: 'unit-1',
      prewarm: MADE,
      variants: [
        prewarmed,
        { ...ASKED, images: 2, state: 'asked' },
        { ...ASKED, images: 1, state: 'other source' },
      ],
      covering: { widths: [160, 320], tiers: ['balanced', 'saver'], formats: ['webp', 'jpeg'] },
    });
  });

  it('says of nothing that it is missing where only that was asked for which is prewarmed', async () => {
    const { ask, units } = await setUp();
    await ask('/a.jpg', { width: 160, tier: 'balanced', format: 'webp' });
    expect(await units.asked('unit-1')).toEqual({ id: 'unit-1', prewarm: MADE, variants: [prewarmed] });
  });

  it('tells what viewers asked for from what an earlier prewarm made, at any effort', async () => {
    const { ask, prewarm, unit, src, units } = await setUp({ PREWARM_EFFORT: 'fast' });
    await ask('/a.jpg', ASKED);
    await units.upgrade('unit-1', { src: src('/a.jpg'), ...ASKED });
    await prewarm(unit([src('/a.jpg')], { ...MADE, formats: ['jpeg'] }));
    expect((await units.asked('unit-1'))?.variants).toEqual([
      { ...prewarmed, format: 'jpeg', images: 1 },
      // That of the second image is of a source that the unit does not name any more.
      { ...prewarmed, state: 'formerly prewarmed' },
      { ...ASKED, images: 1, state: 'asked' },
    ]);
  });

  it('is all that there is of a unit that was never sent', async () => {
    const { ask, get } = await setUp();
    await ask('/a.jpg', ASKED, 'unit-2');
    expect(await get('/units/unit-2?asked=1')).toEqual({
      id: 'unit-2',
      variants: [{ ...ASKED, images: 1, state: 'asked' }],
      covering: { widths: [320], tiers: ['saver'], formats: ['jpeg'] },
    });
    expect(await get('/units/unit-3?asked=1')).toMatchObject({ code: 'not_found' });
    expect(await get('/units/unit-1?askd=1')).toMatchObject({ code: 'bad_request', parameter: 'askd' });
  });
});
