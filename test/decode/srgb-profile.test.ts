import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { srgbTransfer } from '../../src/decode/colours/cicp.ts';
import { isSrgbProfile } from '../../src/decode/colours/srgb-profile.ts';
import { decodeToPixels } from '../../src/decode/decode.ts';
import { inspectSource } from '../../src/decode/inspect.ts';
import { iccProfile, jpegWithProfile, PRIMARIES, parametricCurve, sampledCurve } from '../support/icc.ts';
import { quarters } from '../support/pictures.ts';

const SRGB_PARAMETERS = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045];
const srgbCurve = sampledCurve(srgbTransfer, 1024);

describe('an ICC profile', () => {
  it.each([
    ['a curve of 1,024 samples, as of Hewlett-Packard', { curve: srgbCurve }],
    ['a curve of 26 samples, as of Facebook', { curve: sampledCurve(srgbTransfer, 26) }],
    [
      'a curve of parameters, as of Google and Apple',
      { curve: parametricCurve(3, SRGB_PARAMETERS), version: 4 },
    ],
  ])('with the primaries of sRGB and %s is that of sRGB', (_what, parts) => {
    expect(isSrgbProfile(iccProfile({ space: 'RGB ', ...parts }))).toBe(true);
  });

  it.each([
    ['another curve', { gamma: 2.2 }],
    ['the primaries of Display P3', { curve: srgbCurve, primaries: PRIMARIES.displayP3 }],
    ['the primaries of Adobe RGB', { curve: srgbCurve, primaries: PRIMARIES.adobeRgb }],
    ['a table, which goes before curves', { curve: srgbCurve, tags: [['A2B0', srgbCurve] as const] }],
    ['a truncated curve', { curve: srgbCurve.subarray(0, 100) }],
  ])('is another with %s, whatever its name', (_what, parts) => {
    expect(isSrgbProfile(iccProfile({ space: 'RGB ', ...parts }))).toBe(false);
  });

  it('of sRGB is left out without changing a pixel by more than a level', async () => {
    const jpeg = await quarters().jpeg({ quality: 100 }).toBuffer();
    const source = jpegWithProfile(jpeg, iccProfile({ space: 'RGB ', curve: srgbCurve }));
    const inspected = await inspectSource(source, 4_000_000);
    expect(inspected.iccProfile).toBeUndefined();
    const pixels = await decodeToPixels(inspected, inspected.facts, 4_000_000);
    const shown = await (await pixels.open()).raw().toBuffer();
    const applied = await sharp(source).toColourspace('srgb').raw().toBuffer();
    const worst = Math.max(...applied.map((level, index) => Math.abs(level - (shown[index] ?? 0))));
    expect(worst).toBeLessThanOrEqual(1);
  });
});
