import { describe, expect, it } from 'vitest';
import type { ImageOutcome, VariantSummary } from '../../src/unit/outcome.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { targetFor } from '../support/http/service.ts';
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
    await service.request(await targetFor(src(path), { width: 160, format: 'avif', tier: 'balanced' }));
  return { ...world, source };
}

describe('prewarm at effort best', () => {
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
