import { describe, expect, it } from 'vitest';
import { RECIPE } from '../../src/encode/encoder.ts';
import { sha256 } from '../../src/hashing.ts';
import { variantAddress } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { StoredInfo, VariantStore } from '../../src/store/store.ts';
import type { ImageOutcome, VariantSummary } from '../../src/unit/outcome.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { targetFor, temporaryFolder } from '../support/http/service.ts';
import { holdStore } from '../support/store/held-store.ts';
import { setUpUnits } from '../support/unit/set-up-units.ts';

/** Returns the first variant of the first image. */
function firstVariant([outcome]: readonly ImageOutcome[]): VariantSummary & { skipped: boolean } {
  if (outcome?.state !== 'ready') throw new Error('it is not ready');
  return { ...(outcome.variants[0] as VariantSummary), skipped: outcome.skipped };
}

/** Starts a service that has served one small variant of these paths to a viewer, at effort `fast`. */
async function setUpFastVariants(paths: readonly string[]) {
  const source = { isGone: false };
  const { photo, ...world } = await setUpUnits({
    '/b.jpg': (response) => {
      if (source.isGone) response.writeHead(404).end();
      else response.end(photo);
    },
  });
  const { service, src } = world;
  for (const path of paths)
    await service.request(targetFor(src(path), { width: 160, format: 'avif', tier: 'balanced' }));
  return { ...world, source };
}

describe('prewarm at effort best', () => {
  it('is reported as it ended, also when it ends while its progress is read', async () => {
    const store = createFileStore({ root: await temporaryFolder() });
    const { store: held, hold } = holdStore(store, {
      ...{ operation: 'head', key: /^states\/(ready|broken)\//, when: 'before' },
    });
    const { service, src, unit, units } = await setUpUnits({}, {}, { store: held });
    await service.request(targetFor(src('/a.jpg'), { width: 160, format: 'avif', tier: 'balanced' }));
    const job = await units.submit(unit([src('/a.jpg')], { formats: ['avif'] }), { retry: false });
    const progress = units.progress('unit-1');
    await hold.reached;
    await service.unitServices.processJob(job, () => {});
    hold.release();
    expect(await progress).toMatchObject({
      images: [{ state: 'ready', skipped: false, variants: [{ effort: 'best' }] }],
    });
  });

  it('makes a variant again that a viewer was given at effort fast', async () => {
    const { src, unit, prewarm, units } = await setUpFastVariants(['/a.jpg']);
    const wanted = unit([src('/a.jpg')], { formats: ['avif'] });
    expect((await prewarm(wanted)).outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
    expect((await units.status('unit-1'))?.images).toMatchObject([
      { state: 'ready', variants: [{ effort: 'best' }] },
    ]);
    expect((await prewarm(wanted)).outcomes).toMatchObject([{ skipped: true }]);
  });

  it('keeps the variant that a viewer was given when its source is gone', async () => {
    const { source, src, unit, prewarm, units } = await setUpFastVariants(['/b.jpg']);
    source.isGone = true;
    const { outcomes } = await prewarm(unit([src('/b.jpg')], { formats: ['avif'] }));
    expect(outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
    expect((await units.status('unit-1'))?.images).toMatchObject([
      { state: 'ready', variants: [{ effort: 'fast' }] },
    ]);
  });
});

describe('prewarm of a variant that was made with an earlier recipe', () => {
  async function setUpStale(env: Record<string, string> = {}, budget: Partial<Unit> = {}) {
    const world = await setUpUnits({}, env);
    const wanted = world.unit([world.src('/a.jpg')], { formats: ['avif', 'webp'], ...budget });
    await world.prewarm(wanted);
    const name = { unit: 'unit-1', src: world.src('/a.jpg'), width: 160, tier: 'balanced' } as const;
    const { store } = world.service.services.shared;
    const { key } = variantAddress({ ...name, format: 'avif' }, sha256);
    await makeStale(store, key);
    return { ...world, wanted, store, key };
  }

  it('makes it again, once', async () => {
    const { prewarm, wanted, store, key } = await setUpStale();
    const stale = await store.head(key);
    expect((await prewarm(wanted)).outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
    const info = await store.head(key);
    expect(info?.metadata).toMatchObject({ effort: 'best', recipe: String(RECIPE) });
    expect(info?.bytes).not.toBe(stale?.bytes);
    expect((await prewarm(wanted)).outcomes).toMatchObject([{ skipped: true }]);
  });

  it('does not lower its effort where prewarm makes the others at effort fast', async () => {
    const { prewarm, wanted, store, key } = await setUpStale({ PREWARM_EFFORT: 'fast' });
    await prewarm(wanted);
    expect((await store.head(key))?.metadata).toMatchObject({ effort: 'best', recipe: String(RECIPE) });
  });

  it('leaves one alone that was made with a later recipe, by a process of a newer version', async () => {
    const { prewarm, wanted, store, key } = await setUpStale();
    await makeStale(store, key, String(RECIPE + 1));
    expect((await prewarm(wanted)).outcomes).toMatchObject([{ skipped: true }]);
  });
});

/** Stores other bytes of effort `best` in place of a variant, as made with the first recipe, which had no name, or with another one. */
async function makeStale(store: VariantStore, key: string, recipe?: string): Promise<void> {
  const { contentType, metadata } = (await store.head(key)) as StoredInfo;
  const { recipe: _current, ...first }: Record<string, string> = { ...metadata, effort: 'best' };
  await store.put(key, Buffer.from('an earlier variant'), {
    contentType,
    metadata: recipe === undefined ? first : { ...first, recipe },
  });
}

describe('prewarm with a budget of bytes', () => {
  async function setUpBudget(properties: Partial<Unit>, env: Record<string, string> = {}) {
    const { src, unit, prewarm, units } = await setUpUnits({}, env);
    const prewarmWithin = async (maxBytes?: number) => {
      const budget = maxBytes === undefined ? {} : { maxBytes };
      const { outcomes } = await prewarm(
        unit([src('/a.jpg')], { formats: ['avif'], ...properties, ...budget }),
      );
      return firstVariant(outcomes);
    };
    return { prewarmWithin, units };
  }

  it('makes a variant again that exceeds the budget, and skips it once it does not', async () => {
    const { prewarmWithin } = await setUpBudget({ widths: [480] });
    const maxBytes = (await prewarmWithin()).bytes - 1000;
    expect((await prewarmWithin(maxBytes)).bytes).toBeLessThanOrEqual(maxBytes);
    expect(await prewarmWithin(maxBytes)).toMatchObject({ skipped: true });
  });

  it('reports a budget that cannot be met, and does not try again', async () => {
    const { prewarmWithin, units } = await setUpBudget({ widths: [480] });
    await prewarmWithin();
    expect(await prewarmWithin(100)).toMatchObject({ overBudget: true, skipped: false });
    expect(await prewarmWithin(100)).toMatchObject({ overBudget: true, skipped: true });
    expect((await units.status('unit-1'))?.images).toMatchObject([{ variants: [{ overBudget: true }] }]);
  });

  it('meets the budget even when everything else is made at effort fast', async () => {
    const { prewarmWithin } = await setUpBudget({}, { PREWARM_EFFORT: 'fast' });
    const maxBytes = Math.floor(0.8 * (await prewarmWithin()).bytes);
    expect((await prewarmWithin(maxBytes)).bytes).toBeLessThanOrEqual(maxBytes);
  });
});
