import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../support/outcome.ts';
import { photograph } from '../support/pictures.ts';
import { type TiffRecipe, writeTiff } from '../support/tiff.ts';

const tiffs: fc.Arbitrary<TiffRecipe> = fc.record({
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
  samples: fc.integer({ min: 1, max: 7 }),
  bits: fc.constantFrom(1, 2, 4, 8, 8, 8, 12, 16, 24, 32, 64),
  format: fc.constantFrom(1, 1, 1, 2, 3, 4, 5, 6),
  photometric: fc.constantFrom(0, 1, 2, 2, 3, 4, 5, 6, 8, 9, 10, 32_803, 32_844, 34_892),
  extra: fc.option(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }), { nil: undefined }),
  isPlanar: fc.boolean(),
  isTiled: fc.boolean(),
  isBig: fc.boolean(),
  isLittle: fc.boolean(),
  compression: fc.constantFrom(1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 32_773, 34_712, 34_925, 50_000),
  predictor: fc.constantFrom(1, 2, 3),
  isShort: fc.boolean(),
});

describe('decoding a TIFF of any kind', () => {
  it('gives an image, or a refusal that names the source as its cause', async () => {
    await fc.assert(
      fc.asyncProperty(tiffs, async (recipe) => {
        expect(await outcomeOf(writeTiff(recipe))).toMatch(/^(image|source_)/);
      }),
      { numRuns: 400 },
    );
  });
});

const edits = fc.array(
  fc.record({
    // Most faults are near the beginning: headers are there.
    at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true })),
    kind: fc.constantFrom('set', 'set', 'remove', 'insert', 'cut'),
    bytes: fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.constant(new Uint8Array(4).fill(255))),
  }),
  { minLength: 1, maxLength: 4 },
);

function mutate(file: Buffer, changes: readonly { at: number; kind: string; bytes: Uint8Array }[]): Buffer {
  return changes.reduce((bytes, { at: share, kind, bytes: values }) => {
    // The signature stays, so that the file is taken for one of its type.
    const at = 12 + Math.floor(share * Math.max(0, bytes.length - 12));
    const from = kind === 'insert' ? at : at + values.length;
    if (kind === 'cut') return bytes.subarray(0, at);
    const inserted = kind === 'remove' ? Buffer.alloc(0) : values;
    return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(from)]);
  }, file);
}

describe('decoding a mutated file', () => {
  const files = new Map<string, Buffer>();

  beforeAll(async () => {
    const photo = () => sharp(photo.bytes).resize(64);
    photo.bytes = await photograph();
    files.set('jpeg', await photo().jpeg().toBuffer());
    files.set('progressive jpeg', await photo().jpeg({ progressive: true }).toBuffer());
    files.set('png', await photo().png().toBuffer());
    files.set('palette png', await photo().png({ palette: true, progressive: true }).toBuffer());
    files.set('gif', await photo().gif().toBuffer());
    files.set('webp', await photo().webp().toBuffer());
    files.set('avif', await photo().avif({ effort: 0 }).toBuffer());
    files.set('tiff', await photo().tiff({ compression: 'lzw' }).toBuffer());
    files.set('heic', await readFile(new URL('./fixtures/quadrants-display-p3.heic', import.meta.url)));
  });

  it('a TIFF of any kind gives an image, or a refusal that names the source as its cause', async () => {
    await fc.assert(
      fc.asyncProperty(tiffs, edits, async (recipe, changes) => {
        expect(await outcomeOf(mutate(writeTiff(recipe), changes))).toMatch(/^(image|source_)/);
      }),
      { numRuns: 400 },
    );
  });

  it.each(['jpeg', 'progressive jpeg', 'png', 'palette png', 'gif', 'webp', 'avif', 'tiff', 'heic'])(
    '%s gives an image, or a refusal that names the source as its cause',
    async (type) => {
      const file = files.get(type) as Buffer;
      await fc.assert(
        fc.asyncProperty(edits, async (changes) => {
          expect(await outcomeOf(mutate(file, changes))).toMatch(/^(image|source_)/);
        }),
        { numRuns: type === 'heic' ? 15 : 60 },
      );
    },
  );
});
