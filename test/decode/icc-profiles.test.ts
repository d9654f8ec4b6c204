import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/decode/inspect.ts';
import { servableOriginal } from '../../src/encode/servable-original.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { iccProfile, jpegWithProfile } from '../support/icc.ts';
import { quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 4_000_000 });

const SKIN = [220, 180, 150] as const;
/** What a light of these levels looks like in sRGB. */
const LINEAR_SKIN = [239, 219, 202] as const;

async function jpegOf([r, g, b]: readonly number[]): Promise<Buffer> {
  const background = { r: r ?? 0, g: g ?? 0, b: b ?? 0 };
  return await sharp({ create: { width: 32, height: 32, channels: 3, background } })
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

/** Returns the colour of the middle of a variant. */
async function shown(source: Buffer): Promise<number[]> {
  const image = await encoder.decode(source, 32, 'viewer');
  const { body } = await image.encode({ width: 32, tier: 'high', format: 'webp', effort: 'fast' });
  const { data, info } = await sharp(body).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const middle = ((info.height >> 1) * info.width + (info.width >> 1)) * info.channels;
  return [...data.subarray(middle, middle + 3)];
}

function expectColour(actual: readonly number[], expected: readonly number[], tolerance = 5): void {
  const worst = Math.max(...expected.map((value, channel) => Math.abs(value - (actual[channel] ?? 0))));
  expect(worst, `${actual} instead of ${expected}`).toBeLessThanOrEqual(tolerance);
}

describe('an ICC profile of RGB', () => {
  it('is applied', async () => {
    const profile = iccProfile({ space: 'RGB ', gamma: 1 });
    expectColour(await shown(jpegWithProfile(await jpegOf(SKIN), profile)), LINEAR_SKIN);
  });

  it.each([
    ['a curve that makes all white', { gamma: 0 }],
    ['primaries without light', { luminances: [0, 0, 0] as const }],
    ['primaries that make no white', { luminances: [0.2, 0.2, 0.1] as const }],
    ['the class of a device link', { deviceClass: 'link', gamma: 1 }],
    ['the class of an abstract profile', { deviceClass: 'abst', gamma: 1 }],
    ['a version that does not exist', { version: 9, gamma: 1 }],
    ['fewer bytes than it says', { extraBytes: 1000, gamma: 1 }],
  ])('is ignored with %s', async (_what, parts) => {
    const source = jpegWithProfile(await jpegOf(SKIN), iccProfile({ space: 'RGB ', ...parts }));
    expectColour(await shown(source), SKIN);
  });
});

describe('an ICC profile of grey', () => {
  const grey = async () =>
    await sharp(await jpegOf([128, 128, 128]))
      .toColourspace('b-w')
      .jpeg()
      .toBuffer();

  it('is applied', async () => {
    const source = jpegWithProfile(await grey(), iccProfile({ space: 'GRAY', gamma: 1 }));
    expectColour(await shown(source), [188, 188, 188]);
  });

  it.each([
    ['a curve that makes all white', { gamma: 0 }],
    ['the class of a device link', { deviceClass: 'link', gamma: 1 }],
    ['a version that does not exist', { version: 5, gamma: 1 }],
    ['fewer bytes than it says', { extraBytes: 1000, gamma: 1 }],
  ])('is ignored with %s', async (_what, parts) => {
    const source = jpegWithProfile(await grey(), iccProfile({ space: 'GRAY', ...parts }));
    expectColour(await shown(source), [128, 128, 128]);
  });
});

describe('an ICC profile of CMYK', () => {
  const inCmyk = async (colour: readonly number[]) =>
    sharp(await jpegOf(colour))
      .toColourspace('cmyk')
      .withIccProfile('cmyk');

  it.each([
    ['with little black ink', [250, 120, 180], [230, 121, 161]],
    ['with much black ink', [128, 128, 128], [108, 94, 96]],
    ['with black and another ink', [20, 90, 200], [47, 89, 136]],
  ])('is applied to a JPEG as Chromium does, %s', async (_what, colour, inChromium) => {
    const source = await (await inCmyk(colour)).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
    expect((await sharp(source).metadata()).icc).toBeDefined();
    expectColour(await shown(source), inChromium, 5);
  });

  it('is applied to a TIFF as it says', async () => {
    expectColour(await shown(await (await inCmyk([128, 128, 128])).tiff().toBuffer()), [114, 114, 115], 5);
  });
});

describe('a JPEG with a gain map', () => {
  /** The base picture, the metadata of Ultra HDR, and the gain map behind the end of the base. */
  async function ultraHdr(): Promise<Buffer> {
    const base = await jpegOf(SKIN);
    const gainMap = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'white' } })
      .jpeg()
      .toBuffer();
    const xmp = Buffer.from(
      'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" hdrgm:GainMapMax="3"/></rdf:RDF></x:xmpmeta>',
      'latin1',
    );
    const head = Buffer.from([0xff, 0xe1, (xmp.length + 2) >> 8, (xmp.length + 2) & 255]);
    return Buffer.concat([base.subarray(0, 2), head, xmp, base.subarray(2), gainMap]);
  }

  it('shows its base, and is passed on without the map', async () => {
    const source = await ultraHdr();
    expectColour(await shown(source), SKIN);
    const body = Buffer.from(servableOriginal(await inspectSource(source, 4_000_000))?.body ?? []);
    expect(body.indexOf('hdrgm')).toBe(-1);
    expect(body.lastIndexOf(Buffer.from([0xff, 0xd8, 0xff]))).toBe(0);
  });
});

describe('an original with the profile of sRGB', () => {
  it('may be passed on without it', async () => {
    const source = await quarters().withIccProfile('srgb').jpeg().toBuffer();
    expect(servableOriginal(await inspectSource(source, 4_000_000))?.encoding).toBe('jpeg');
  });
});
