import { describe, expect, it } from 'vitest';
import { readHevcColours } from '../../src/decode/containers/hevc-sequence.ts';
import { type HevcRecipe, hevcPicture } from '../support/hevc.ts';

const UNSPECIFIED = { primaries: 2, transfer: 2, matrix: 2 };
const BLOCKS = [[100, 90, 80]];

function coloursOf(recipe: Partial<HevcRecipe>) {
  return readHevcColours(hevcPicture({ blocks: BLOCKS, chroma: '4:2:0', bits: 8, ...recipe }).config);
}

describe('what the bitstream of HEVC says of its colours', () => {
  it.each([
    ['monochrome', 8],
    ['4:2:0', 10],
    ['4:4:4', 8],
  ] as const)('is read from %s at %i bits', (chroma, bits) => {
    for (const isOfVideo of [false, true]) {
      const signal = { codes: [12, 13, 1], isFullRange: true } as const;
      const expected = { primaries: 12, transfer: 13, matrix: 1, isFullRange: true };
      expect(coloursOf({ chroma, bits, isOfVideo, signal })).toEqual(expected);
    }
  });

  it('may be the range alone', () => {
    expect(coloursOf({ signal: { isFullRange: true } })).toEqual({ ...UNSPECIFIED, isFullRange: true });
  });

  it('is limited range where it says nothing', () => {
    expect(coloursOf({})).toEqual({ ...UNSPECIFIED, isFullRange: false });
  });

  it('is what an encoder wrote: x265, with an aspect ratio, timing and buffering', () => {
    const unit = Buffer.from(
      '42010201600000030090000003000003003c0000a0208105965652b2c9272bffc0008000db86068082000007d00000c350c0291cbc001e848003d0970007a12000f42440',
      'hex',
    );
    const config = Buffer.concat([Buffer.alloc(22), Buffer.from([1, 0xa1, 0, 1, 0, unit.length]), unit]);
    expect(readHevcColours(config)).toEqual({ primaries: 12, transfer: 13, matrix: 1, isFullRange: true });
  });

  it('is read within bounds from damaged files', () => {
    const signal = { codes: [12, 13, 1], isFullRange: true } as const;
    const { config } = hevcPicture({ blocks: BLOCKS, chroma: '4:2:0', bits: 8, isOfVideo: true, signal });
    for (let bit = 0; bit < 8 * config.length; bit++) {
      const damaged = Buffer.from(config);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (0x80 >> (bit & 7));
      const parts = [damaged, config.subarray(0, bit >> 3)];
      for (const part of parts) {
        try {
          expect(readHevcColours(part)).toHaveProperty('isFullRange');
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }
  });
});
