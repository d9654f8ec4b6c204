import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictBytes, predictPosition } from '../../src/encode/predict-quality.ts';
import { QUALITY_MODELS } from '../../src/encode/quality-model.ts';

/** A draft at position 0, of a picture as they are served. */
const drafts = fc
  .record({
    score: fc.double({ min: 45, max: 88, noNaN: true }),
    bitsPerPixel: fc.double({ min: 0.15, max: 4, noNaN: true }),
    width: fc.integer({ min: 160, max: 2048 }),
    height: fc.integer({ min: 160, max: 2048 }),
    sharpColours: fc.double({ min: 0, max: 0.3, noNaN: true }),
  })
  .map(({ score, bitsPerPixel, ...still }) => ({
    draft: { position: 0, score, bytes: (bitsPerPixel * still.width * still.height) / 8 },
    still,
  }));

describe.each(Object.entries(QUALITY_MODELS))('the prediction for %s', (_, model) => {
  it('rises in quality and bytes with the target', () => {
    fc.assert(
      fc.property(drafts, fc.double({ min: -15, max: 13, noNaN: true }), ({ draft, still }, distance) => {
        const target = Math.min(80, Math.max(60, draft.score + distance));
        fc.pre(Math.abs(target - draft.score) <= 15);
        const [lower, higher] = [target, target + 2].map((one) =>
          predictPosition(model, draft, still, one),
        ) as [number, number];
        expect(higher).toBeGreaterThan(lower);
        expect(predictBytes(model, draft, higher)).toBeGreaterThan(predictBytes(model, draft, lower));
      }),
    );
  });

  it('does not stray far from a draft that has the score already', () => {
    fc.assert(
      fc.property(drafts, ({ draft, still }) => {
        const target = Math.min(80, Math.max(60, draft.score));
        fc.pre(target === draft.score);
        const points = predictPosition(model, draft, still, target) / model.positionsPerPoint;
        expect(Math.abs(points)).toBeLessThan(15);
      }),
    );
  });

  it('goes on at the usual slope from a draft with a score below those that it was fitted on', () => {
    fc.assert(
      fc.property(drafts, fc.double({ min: -100, max: 29, noNaN: true }), ({ draft, still }, score) => {
        const [low, lower] = [score, score - 10].map((one) =>
          predictPosition(model, { ...draft, score: one }, still, 60),
        ) as [number, number];
        expect(lower - low).toBeCloseTo(10 * model.positionsPerPoint);
      }),
    );
  });
});
