import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readSequenceHeader } from '../../src/decode/containers/av1-sequence-header.ts';
import { readAvifItems } from '../../src/decode/containers/avif-items.ts';
import { photograph } from '../support/pictures.ts';

/** Packs fields of some bits each into an open bitstream unit of a sequence header. */
function sequenceHeader(...fields: readonly (readonly [bits: number, value: number])[]): Uint8Array {
  const bits = fields.map(([length, value]) => value.toString(2).padStart(length, '0')).join('');
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? [];
  return Uint8Array.of(0x12, 0, 0x0a, bytes.length, ...bytes.map((byte) => Number.parseInt(byte, 2)));
}

describe('readSequenceHeader', () => {
  it.each([
    ['4:4:4', 8, { profile: 1, isSubsampledX: false, isSubsampledY: false }],
    ['4:4:4', 10, { profile: 1, isSubsampledX: false, isSubsampledY: false }],
    ['4:4:4', 12, { profile: 2, isSubsampledX: false, isSubsampledY: false }],
    ['4:2:0', 8, { profile: 0, isSubsampledX: true, isSubsampledY: true }],
    ['4:2:0', 10, { profile: 0, isSubsampledX: true, isSubsampledY: true }],
    ['4:2:0', 12, { profile: 2, isSubsampledX: true, isSubsampledY: true }],
  ] as const)('reads what an encoder wrote: %s at %i bits', async (chromaSubsampling, bitdepth, expected) => {
    const file = await sharp(await photograph())
      .resize(202, 102, { fit: 'fill' })
      .avif({ effort: 0, chromaSubsampling, bitdepth })
      .toBuffer();
    const header = readSequenceHeader(readAvifItems(file)?.primary.data ?? new Uint8Array());
    expect(header).toMatchObject({ ...expected, bitDepth: bitdepth, width: 202, height: 102 });
    expect(header).toMatchObject({
      primaries: 1,
      transfer: 13,
      matrix: 6,
      isFullRange: true,
      isMonochrome: false,
    });
  });

  it('reads the long form, of videos: with timing, a decoder model and two operating points', () => {
    const header = sequenceHeader(
      ...([
        [3, 0],
        [1, 0],
        [1, 0],
      ] as const), // profile, still picture, reduced header
      ...([
        [1, 1],
        [32, 1],
        [32, 25],
        [1, 1],
        [3, 0b010],
      ] as const), // timing, with 1 as a variable length
      ...([
        [1, 1],
        [5, 9],
        [32, 1],
        [5, 9],
        [5, 9],
      ] as const), // decoder model, with delays of 10 bits
      ...([
        [1, 1],
        [5, 1],
      ] as const), // display delays; two operating points
      ...([
        [12, 0],
        [5, 13],
        [1, 1],
        [1, 1],
        [21, 0],
        [1, 1],
        [4, 2],
      ] as const),
      ...([
        [12, 0],
        [5, 4],
        [1, 0],
        [1, 0],
      ] as const),
      ...([
        [4, 10],
        [4, 10],
        [11, 1919],
        [11, 1079],
      ] as const), // the size
      ...([
        [1, 1],
        [7, 0],
        [3, 0],
      ] as const), // frame identifiers; intra tools
      ...([
        [4, 0],
        [1, 1],
        [2, 0],
        [1, 1],
        [1, 1],
        [3, 6],
      ] as const), // inter tools
      ...([[3, 0]] as const), // filters
      ...([
        [1, 0],
        [1, 0],
        [1, 1],
        [8, 9],
        [8, 16],
        [8, 9],
        [1, 0],
        [2, 2],
      ] as const), // colours
    );
    expect(readSequenceHeader(header)).toEqual({
      ...{
        profile: 0,
        levelIndex: 13,
        tier: 1,
        isStillPicture: false,
        width: 1920,
        height: 1080,
        bitDepth: 8,
      },
      ...{ isMonochrome: false, isSubsampledX: true, isSubsampledY: true, chromaSamplePosition: 2 },
      ...{ primaries: 9, transfer: 16, matrix: 9, isFullRange: false },
    });
  });

  it('returns nothing for a bitstream that ends within the header, or has none', async () => {
    const file = await sharp(await photograph())
      .resize(64)
      .avif({ effort: 0 })
      .toBuffer();
    const { data } = readAvifItems(file)?.primary ?? { data: new Uint8Array() };
    expect(readSequenceHeader(data)).toBeDefined();
    for (let length = 0; length < 9; length++)
      expect(readSequenceHeader(data.subarray(0, length))).toBeUndefined();
    expect(readSequenceHeader(Uint8Array.of(0x12, 0, 0x32, 1, 0))).toBeUndefined();
  });
});
