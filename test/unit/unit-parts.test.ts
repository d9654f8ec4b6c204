import { expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { Manifest } from '../../src/unit/manifest.ts';
import { createUnitParts } from '../../src/unit/unit-parts.ts';
import { summarizeImages } from '../../src/unit/unit-summary.ts';
import { temporaryFolder } from '../support/http/service.ts';

const UNIT = 'large';

function manifestOf(images: number, receivedAt = '2026-11-01T00:00:00.000Z'): Manifest {
  return {
    id: UNIT,
    receivedAt,
    images: Array.from({ length: images }, (_, index) => ({ src: `https://x.test/${index}` })),
    ...{ widths: [480], tiers: ['saver'], formats: ['webp'] },
  };
}

function partOf(images: number) {
  const image = {
    unit: UNIT,
    src: 'https://x.test/a',
    state: 'ready',
    sourceBytes: 9,
    variants: [],
  } as const;
  const summary = summarizeImages(Array.from({ length: images }, () => ({ ...image, skipped: false })));
  return { summary, variants: [] };
}

/** Adds parts, in this order, and returns how many images each addition found to be all of the unit. */
async function addParts(images: number, parts: [from: number, images: number][]) {
  const unitParts = createUnitParts(createFileStore({ root: await temporaryFolder() }), sha256);
  const found: (number | undefined)[] = [];
  for (const [from, count] of parts)
    found.push((await unitParts.add(manifestOf(images), from, partOf(count)))?.summary.ready);
  return found;
}

it.each<[string, number, [number, number][], (number | undefined)[]]>([
  [
    'its parts, in any order',
    120,
    [
      [100, 20],
      [0, 50],
      [50, 50],
    ],
    [undefined, undefined, 120],
  ],
  [
    'a part of an earlier submission that had fewer images',
    130,
    [
      [100, 20],
      [0, 50],
      [50, 50],
      [100, 30],
    ],
    [undefined, undefined, undefined, 130],
  ],
  [
    'a part of an earlier submission that had more images',
    90,
    [
      [100, 0],
      [0, 50],
      [50, 40],
    ],
    [undefined, undefined, 90],
  ],
  [
    'a part that is there twice',
    100,
    [
      [0, 50],
      [0, 50],
      [50, 50],
    ],
    [undefined, undefined, 100],
  ],
])('A unit is whole with %s', async (_name, images, parts, expected) => {
  expect(await addParts(images, parts)).toEqual(expected);
});

it('Parts of an earlier submission are no parts of a later one', async () => {
  const parts = createUnitParts(createFileStore({ root: await temporaryFolder() }), sha256);
  const [earlier, later] = [manifestOf(100), manifestOf(100, '2026-11-02T00:00:00.000Z')];
  await parts.add(earlier, 0, partOf(50));
  expect(await parts.add(later, 50, partOf(50))).toBeUndefined();
  expect((await parts.add(later, 0, partOf(50)))?.summary.ready).toBe(100);
});
