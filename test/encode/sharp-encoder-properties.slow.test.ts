import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/decode/inspect.ts';
import type { EncodedImage, EncodeRequest } from '../../src/encode/encoder.ts';
import { servableOriginal } from '../../src/encode/servable-original.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS, TIERS } from '../../src/protocol/request.ts';
import { animation } from '../support/pictures.ts';

const MAX_PIXELS = 4_000_000;
const encoder = createSharpEncoder({ concurrency: 2, maxPixels: MAX_PIXELS });

/** The encodings that clients of each format display. */
const DISPLAYED = {
  avif: ['avif', 'webp', 'jpeg', 'png', 'gif'],
  webp: ['webp', 'jpeg', 'png', 'gif'],
  jpeg: ['jpeg', 'png', 'gif'],
} as const;

type Paint = 'noise' | 'gradient' | 'flat' | 'lines';

/** The description of a generated source. */
interface Recipe {
  paint: Paint;
  width: number;
  height: number;
  alpha: 'none' | 'opaque' | 'half';
  grey: boolean;
  container: 'jpeg' | 'png' | 'palette' | 'webp' | 'lossless' | 'gif' | 'avif' | 'tiff';
  quality: number;
  hasLocation: boolean;
  orientation: number;
  profile: 'none' | 'srgb' | 'p3';
}

const recipes: fc.Arbitrary<Recipe> = fc.record({
  paint: fc.constantFrom('noise', 'gradient', 'flat', 'lines'),
  width: fc.integer({ min: 1, max: 150 }),
  height: fc.integer({ min: 1, max: 150 }),
  alpha: fc.constantFrom('none', 'none', 'opaque', 'half'),
  grey: fc.boolean(),
  container: fc.constantFrom('jpeg', 'jpeg', 'png', 'palette', 'webp', 'lossless', 'gif', 'avif', 'tiff'),
  quality: fc.integer({ min: 5, max: 100 }),
  hasLocation: fc.boolean(),
  orientation: fc.constantFrom(1, 1, 1, 3, 6),
  profile: fc.constantFrom('none', 'none', 'srgb', 'p3'),
});

/** The worst case for the score: it was found by chance. */
const LARGE_NOISE: Recipe = {
  paint: 'noise',
  width: 123,
  height: 134,
  alpha: 'none',
  grey: false,
  container: 'avif',
  quality: 5,
  hasLocation: false,
  orientation: 1,
  profile: 'none',
};

const requests = fc.record({
  width: fc.constantFrom(40, 160),
  tier: fc.constantFrom(...TIERS),
  format: fc.constantFrom(...FORMATS),
  effort: fc.constantFrom('fast', 'best'),
}) satisfies fc.Arbitrary<EncodeRequest>;

function paint({ paint: kind, width, height, alpha }: Recipe): Sharp {
  const data = Buffer.alloc(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const noise = (Math.imul(i + 1, 2654435761) >>> 8) & 255;
    const level = {
      noise,
      gradient: Math.round((255 * (x + y)) / (width + height)),
      flat: 120,
      lines: x % 7 === 0 ? 20 : 240,
    }[kind];
    const transparent = alpha === 'half' && y * 2 < height;
    data.set([level, (level + (x & 15)) & 255, 255 - level, transparent ? 0 : 255], i * 4);
  }
  const image = sharp(data, { raw: { width, height, channels: 4 } });
  return alpha === 'none' ? image.removeAlpha() : image;
}

async function cook(recipe: Recipe): Promise<Buffer> {
  const { container, quality, grey, hasLocation, orientation, profile } = recipe;
  let image = paint(recipe);
  if (grey) image = image.greyscale();
  if (hasLocation)
    image = image.withExif({ IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' } });
  if (profile !== 'none') image = image.withIccProfile(profile);
  if (orientation !== 1) image = image.withMetadata({ orientation });
  switch (container) {
    case 'jpeg':
      return image.jpeg({ quality }).toBuffer();
    case 'png':
      return image.png().toBuffer();
    case 'palette':
      return image.png({ palette: true, colours: 4 }).toBuffer();
    case 'webp':
      return image.webp({ quality, effort: 0 }).toBuffer();
    case 'lossless':
      return image.webp({ lossless: true, effort: 0 }).toBuffer();
    case 'gif':
      return image.gif().toBuffer();
    case 'avif':
      return image.avif({ quality, effort: 0 }).toBuffer();
    case 'tiff':
      return image.tiff().toBuffer();
  }
}

async function encode(source: Buffer, request: EncodeRequest): Promise<EncodedImage> {
  const image = await encoder.decode(source, request.width, 'prewarm');
  return await image.encode(request);
}

describe('the sharp encoder, given any image', () => {
  it('never makes a variant larger than a servable original', async () => {
    await fc.assert(
      fc.asyncProperty(recipes, requests, async (recipe, request) => {
        const source = await cook(recipe);
        const inspected = await inspectSource(source, MAX_PIXELS);
        const image = await encode(source, request);
        const servable = servableOriginal(inspected);
        const isDisplayed = servable && DISPLAYED[request.format].some((one) => one === servable.encoding);
        const isLaidOnWhite = request.format === 'jpeg' && recipe.alpha === 'half';
        if (isDisplayed && !isLaidOnWhite)
          expect(image.body.byteLength).toBeLessThanOrEqual(servable.body.byteLength);
        if (image.isOriginal) expect(image.body.byteLength).toBeLessThanOrEqual(source.byteLength);
      }),
      { numRuns: 150 },
    );
  });

  it('makes variants that are displayable, upright, in sRGB, without metadata, and of the declared type and size', async () => {
    await fc.assert(
      fc.asyncProperty(recipes, requests, async (recipe, request) => {
        const image = await encode(await cook(recipe), request);
        const { format, width, height, exif, xmp, iptc, icc, orientation, hasAlpha } = await sharp(
          image.body,
        ).metadata();
        const encoding = format === 'heif' ? 'avif' : format;
        expect(image.contentType).toBe(`image/${encoding}`);
        expect(DISPLAYED[request.format]).toContain(encoding);
        expect({ width, height }).toEqual({ width: image.width, height: image.height });
        expect({ exif, xmp, iptc, icc }).toEqual({});
        expect(orientation ?? 1).toBe(1);
        // Only what lost nothing may be wider: the original, or all pixels of a chart.
        expect(width).toBeLessThanOrEqual(image.score === 100 ? recipe.width + recipe.height : request.width);
        if (request.format === 'jpeg') expect(hasAlpha && recipe.alpha === 'half').toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('reaches a score of 60 with effort best, of 50 in format jpeg, and of 40 for large noise', async () => {
    await fc.assert(
      fc.asyncProperty(recipes, requests, async (recipe, request) => {
        const { score } = await encode(await cook(recipe), { ...request, effort: 'best' });
        // Images of up to 128 × 128 pixels are also tried without loss, but format `jpeg` has no lossless encoding for thousands of
        // colours. No encoding reaches the target for larger noise that was an AVIF of the lowest quality.
        const isLargeNoise = recipe.paint === 'noise' && recipe.width * recipe.height > 128 * 128;
        expect(score).toBeGreaterThan(isLargeNoise ? 40 : request.format === 'jpeg' ? 50 : 60);
      }),
      {
        numRuns: 61,
        examples: [[LARGE_NOISE, { width: 160, tier: 'saver', format: 'webp', effort: 'best' }]],
      },
    );
  });
});

describe('the sharp encoder, given an animation', () => {
  it('makes variants that have all frames and are no larger than the original', async () => {
    const source = await (await animation(32, 32)).gif({ delay: [100, 200, 300, 400] }).toBuffer();
    for (const format of FORMATS) {
      for (const effort of ['fast', 'best'] as const) {
        const image = await encode(source, { width: 160, tier: 'high', format, effort });
        expect(image.body.byteLength).toBeLessThanOrEqual(source.byteLength);
        expect(await sharp(image.body, { animated: true }).metadata()).toMatchObject({ pages: 4 });
      }
    }
  });
});
