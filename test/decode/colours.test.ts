import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/decode/inspect.ts';
import { servableOriginal } from '../../src/encode/servable-original.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { CHRM_P3, chunk, cicp, gama, type Rgb, SQUARE, SRGB_CHUNK, writePng } from '../support/png.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });

/** A colour, greys, and what Chromium 156 shows for a PNG with these chunks (canvas, sRGB). */
const SAMPLES: readonly Rgb[] = [
  [220, 180, 150],
  [40, 80, 160],
  [48, 48, 48],
  [128, 128, 128],
  [192, 192, 192],
  [255, 255, 255],
];
const AS_THEY_ARE = SAMPLES;
const LINEAR: readonly Rgb[] = [
  [239, 219, 202],
  [110, 152, 208],
  [120, 120, 120],
  [188, 188, 188],
  [225, 225, 225],
  [255, 255, 255],
];
const P3: readonly Rgb[] = [
  [228, 178, 145],
  [22, 81, 166],
  [48, 48, 48],
  [128, 128, 128],
  [192, 192, 192],
  [255, 255, 255],
];
const PQ: readonly Rgb[] = [
  [255, 106, 60],
  [0, 42, 226],
  [15, 15, 15],
  [132, 132, 132],
  [255, 255, 255],
  [255, 255, 255],
];
/** Greys only, as HLG's colours differ by the clipping of blue. */
const HLG_GREYS: readonly Rgb[] = [
  [29, 29, 29],
  [99, 99, 99],
  [189, 189, 189],
  [255, 255, 255],
];

function png(chunks: readonly Buffer[], depth: 8 | 16 = 8): Buffer {
  return writePng(SAMPLES, { chunks, depth });
}

async function encoded(source: Uint8Array) {
  const image = await encoder.decode(source, 1080, 'viewer');
  return await image.encode({ width: 1080, tier: 'high', format: 'webp', effort: 'fast' });
}

async function expectSamples(source: Uint8Array, expected: readonly Rgb[], tolerance = 8) {
  const { body } = await encoded(source);
  const { data, info } = await sharp(body)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const skipped = SAMPLES.length - expected.length;
  expected.forEach((colour, index) => {
    const at = ((SQUARE / 2) * info.width + (index + skipped) * SQUARE + SQUARE / 2) * info.channels;
    const shown = [...data.subarray(at, at + 3)];
    const worst = Math.max(...colour.map((value, channel) => Math.abs(value - (shown[channel] as number))));
    expect(worst, `sample ${index}: ${shown} instead of ${colour}`).toBeLessThanOrEqual(tolerance);
  });
}

describe('the colours of a PNG', () => {
  it.each([
    ['linear by code points', [cicp(1, 8)], LINEAR],
    ['Display P3 by code points', [cicp(12, 13)], P3],
    ['PQ by code points', [cicp(9, 16)], PQ],
    ['HLG by code points', [cicp(9, 18)], HLG_GREYS],
    ['linear by gamma', [gama(1)], LINEAR],
    ['code points rather than sRGB or gamma', [cicp(12, 13), SRGB_CHUNK, gama(1)], P3],
    ['sRGB rather than gamma', [SRGB_CHUNK, gama(1)], AS_THEY_ARE],
    ['gamma where the code points are reserved', [cicp(77, 99), gama(1)], LINEAR],
    ['gamma where the range is narrow', [cicp(9, 16, 0), gama(1)], LINEAR],
    ['sRGB where only chromaticities are given', [CHRM_P3], AS_THEY_ARE],
    ['sRGB where the gamma is nearly its own', [gama(0.46)], AS_THEY_ARE],
    ['sRGB where the gamma is 0', [gama(0), CHRM_P3], AS_THEY_ARE],
    ['sRGB where chromaticities are impossible', [gama(1), chunk('cHRM', Buffer.alloc(32))], AS_THEY_ARE],
  ] as const)('are those that browsers show: %s', async (_, chunks, expected) => {
    await expectSamples(png(chunks), expected);
  });

  it('are converted from 16 bits without loss of dark tones', async () => {
    await expectSamples(png([cicp(1, 8)], 16), LINEAR);
    await expectSamples(png([cicp(9, 16)], 16), PQ);
  });

  it('keep an original from being sent as it is, unless they are sRGB', async () => {
    const servable = async (...chunks: Buffer[]) =>
      servableOriginal(await inspectSource(png(chunks), 4_000_000)) !== undefined;
    expect(await servable(SRGB_CHUNK)).toBe(true);
    expect(await servable(cicp(12, 13), SRGB_CHUNK)).toBe(false);
    expect(await servable(gama(1))).toBe(false);
  });
});

describe('the colours of an AVIF', () => {
  const NCLX = 'colrnclx';

  /** An AVIF in one colour, whose `colr` box says these code points. */
  async function avif(primaries: number, transfer: number): Promise<Buffer> {
    const background = { r: 220, g: 180, b: 150 };
    const file = await sharp({ create: { width: 96, height: 96, channels: 3, background } })
      .avif({ lossless: true })
      .toBuffer();
    const at = file.indexOf(NCLX, 0, 'latin1') + NCLX.length;
    expect(at).toBeGreaterThan(NCLX.length);
    file.writeUInt16BE(primaries, at);
    file.writeUInt16BE(transfer, at + 2);
    return file;
  }

  it.each([
    ['sRGB', 1, 13, [220, 180, 150]],
    ['BT.709, whose curve browsers take for that of sRGB', 1, 1, [220, 180, 150]],
    ['unspecified', 2, 2, [220, 180, 150]],
    ['Display P3', 12, 13, [228, 179, 145]],
    ['linear', 1, 8, [239, 219, 202]],
    ['PQ', 9, 16, [255, 106, 60]],
  ] as const)('are those that browsers show: %s', async (_, primaries, transfer, expected) => {
    const pixels = await sharp((await encoded(await avif(primaries, transfer))).body)
      .raw()
      .toBuffer();
    const shown = [...pixels.subarray(0, 3)];
    const worst = Math.max(...expected.map((value, channel) => Math.abs(value - (shown[channel] as number))));
    expect(worst, `${shown} instead of ${expected}`).toBeLessThanOrEqual(8);
  });
});

describe('the colours of a CMYK image without a profile', () => {
  it('are those of inks as perfect filters, as browsers show them', async () => {
    const background = { r: 200, g: 60, b: 50 };
    const source = await sharp({ create: { width: 64, height: 64, channels: 3, background } })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(source).metadata()).icc).toBe(undefined);
    const inks = await sharp(source).pipelineColourspace('cmyk').toColourspace('cmyk').raw().toBuffer();
    const [cyan, magenta, yellow, black] = [...inks.subarray(0, 4)].map((value) => 1 - value / 255) as [
      number,
      number,
      number,
      number,
    ];
    const expected = [cyan, magenta, yellow].map((value) => 255 * value * black);
    const pixels = await sharp((await encoded(source)).body)
      .raw()
      .toBuffer();
    expected.forEach((value, channel) => {
      expect(Math.abs((pixels[channel] as number) - value)).toBeLessThan(6);
    });
  });
});
