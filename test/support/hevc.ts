// HEVC stills without an encoder: blocks of uncompressed samples (ITU-T H.265, section 7.3; `pcm_sample` in 7.3.8.7).

/** What the bitstream itself says of its colours: the code points of ITU-T H.273, or only the range. */
export interface HevcSignal {
  /** Primaries, transfer characteristics, matrix coefficients. */
  codes?: readonly [number, number, number];
  isFullRange: boolean;
}

export interface HevcRecipe {
  /** The samples of luma and of the two of chroma of each block, from left to right; luma alone for monochrome. */
  blocks: readonly (readonly number[])[];
  chroma: 'monochrome' | '4:2:0' | '4:4:4';
  bits: 8 | 10;
  /** The video usability information (VUI); none by default. */
  signal?: HevcSignal | undefined;
  /** Whether the header has what stills do not need, as encoders of videos write it: layers, scaling lists and sets of references. */
  isOfVideo?: boolean | undefined;
}

/** The width and height of a block, in pixels. */
export const HEVC_BLOCK = 16;

const CHROMA_FORMATS = { monochrome: 0, '4:2:0': 1, '4:4:4': 3 } as const;
/** Types of NAL units (table 7-1). */
const NAL = { VPS: 32, SPS: 33, PPS: 34, IDR: 19 } as const;
/** Main, Main 10, and the range extensions, for other samples than 4:2:0. */
const PROFILES = { MAIN: 1, MAIN_10: 2, RANGE_EXTENSIONS: 4 } as const;
const LEVEL_2 = 60;

/** Returns a picture of one row of blocks: the contents of its item in a HEIF file, and those of `hvcC`. */
export function hevcPicture(recipe: HevcRecipe): { data: Buffer; config: Buffer } {
  const units = recipe.blocks.map((_, index) => nalUnit(NAL.IDR, slice(recipe, index)));
  const data = Buffer.concat(units.flatMap((unit) => [sizeOf(unit, 4), unit]));
  return { data, config: configuration(recipe) };
}

/** ISO/IEC 14496-15, section 8.3.2.1. */
function configuration(recipe: HevcRecipe): Buffer {
  const sets = [
    [NAL.VPS, videoParameters(recipe)],
    [NAL.SPS, sequenceParameters(recipe)],
    [NAL.PPS, pictureParameters()],
  ] as const;
  const bits = 0xf8 | (recipe.bits - 8);
  return Buffer.concat([
    Buffer.from([1]),
    profile(new BitWriter(), recipe).bytes(),
    Buffer.from([0xf0, 0, 0xfc, 0xfc | CHROMA_FORMATS[recipe.chroma], bits, bits, 0, 0, 0x0f, sets.length]),
    ...sets.flatMap(([type, payload]) => {
      const unit = nalUnit(type, payload);
      return [Buffer.from([0x80 | type, 0, 1]), sizeOf(unit, 2), unit];
    }),
  ]);
}

function profile(writer: BitWriter, { chroma, bits }: HevcRecipe): BitWriter {
  const main = bits === 8 ? PROFILES.MAIN : PROFILES.MAIN_10;
  const code = chroma === '4:2:0' ? main : PROFILES.RANGE_EXTENSIONS;
  // Compatible with itself; progressive, not packed, frames only.
  const compatible = 2 ** (31 - code);
  return writer.put(8, code).put(32, compatible).put(4, 0b1001).put(22, 0).put(22, 0).put(8, LEVEL_2);
}

function videoParameters(recipe: HevcRecipe): BitWriter {
  const writer = new BitWriter().put(4, 0).put(2, 3).put(6, 0).put(3, 0).put(1, 1).put(16, 0xffff);
  return profile(writer, recipe).put(1, 1).golomb(0, 0, 0).put(6, 0).golomb(0).put(2, 0).stop();
}

function sequenceParameters(recipe: HevcRecipe): BitWriter {
  const { chroma, bits, blocks, signal, isOfVideo = false } = recipe;
  const layers = isOfVideo ? 2 : 1;
  const writer = new BitWriter()
    .put(4, 0)
    .put(3, layers - 1)
    .put(1, 1);
  profile(writer, recipe);
  // The second layer has a level, but no profile.
  if (isOfVideo) writer.put(2, 0b01).put(14, 0).put(8, LEVEL_2);
  writer.golomb(0, CHROMA_FORMATS[chroma]);
  if (chroma === '4:4:4') writer.put(1, 0);
  writer.golomb(HEVC_BLOCK * blocks.length, HEVC_BLOCK).put(1, 0);
  writer.golomb(bits - 8, bits - 8, 0).put(1, 1);
  for (let layer = 0; layer < layers; layer++) writer.golomb(isOfVideo ? 4 : 0, 0, 0);
  // Blocks of 16 pixels, transforms of 4 to 16.
  writer.golomb(1, 0, 0, 2, 0, 0);
  if (isOfVideo) scalingLists(writer.put(2, 0b11));
  else writer.put(1, 0);
  // No asymmetric partitions or filters; uncompressed samples of all bits, in blocks of 16 pixels.
  writer
    .put(3, 0b001)
    .put(4, bits - 1)
    .put(4, bits - 1);
  writer.golomb(1, 0).put(1, 1);
  if (isOfVideo) references(writer);
  else writer.golomb(0).put(1, 0);
  writer.put(2, 0).put(1, signal ? 1 : 0);
  if (signal) usability(writer, signal);
  return writer.put(1, 0).stop();
}

/** Section 7.3.4: the first list of each size is coded, and the others are as it. */
function scalingLists(writer: BitWriter): void {
  for (const [coefficients, lists] of [
    [16, 6],
    [64, 6],
    [65, 6],
    [65, 2],
  ] as const) {
    writer.put(1, 1).golomb(...Array<number>(coefficients).fill(0));
    for (let list = 1; list < lists; list++) writer.put(1, 0).golomb(0);
  }
}

/** Section 7.3.7: a set of one picture, a set that is predicted from it, and a long-term one. */
function references(writer: BitWriter): void {
  writer.golomb(2);
  writer.golomb(1, 0, 0).put(1, 1);
  writer.put(2, 0b11).golomb(0).put(1, 1).put(2, 0b01);
  writer.put(1, 1).golomb(1).put(4, 0).put(1, 0);
}

/** Section E.2.1. */
function usability(writer: BitWriter, { codes, isFullRange }: HevcSignal): void {
  writer
    .put(2, 0)
    .put(1, 1)
    .put(3, 5)
    .put(1, isFullRange ? 1 : 0);
  writer.put(1, codes ? 1 : 0);
  for (const code of codes ?? []) writer.put(8, code);
  writer.put(7, 0);
}

function pictureParameters(): BitWriter {
  const writer = new BitWriter().golomb(0, 0).put(7, 0).golomb(0, 0, 0).put(3, 0).golomb(0, 0).put(7, 0);
  // Without deblocking.
  return writer.put(3, 0b101).put(2, 0).golomb(0).put(2, 0).stop();
}

/** A slice for each block, so that the arithmetic coder starts anew and its bits are always the same. */
function slice({ blocks, chroma, bits }: HevcRecipe, index: number): BitWriter {
  const writer = new BitWriter()
    .put(1, index === 0 ? 1 : 0)
    .put(1, 0)
    .golomb(0);
  if (index > 0) writer.put(Math.ceil(Math.log2(blocks.length)), index);
  // Intra, with the quantiser of the picture.
  writer.golomb(2, 0).stop();
  // The bins of one partition and `pcm_flag`, encoded.
  writer.put(9, 0b1_0000_1101).align();
  const counts = { monochrome: 0, '4:2:0': HEVC_BLOCK ** 2 / 4, '4:4:4': HEVC_BLOCK ** 2 };
  const [luma = 0, ...others] = blocks[index] ?? [];
  for (let left = HEVC_BLOCK ** 2; left > 0; left--) writer.put(bits, luma);
  for (const sample of others) for (let left = counts[chroma]; left > 0; left--) writer.put(bits, sample);
  // The bin of the end of the slice, encoded, which ends in the stop bit.
  return writer.align().put(9, 0b1_1111_1101).align();
}

/** Bytes that look like a start code get one more between them (section 7.3.1.1). */
function nalUnit(type: number, payload: BitWriter): Buffer {
  const bytes = [type << 1, 1];
  let zeros = 0;
  for (const byte of payload.bytes()) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(bytes);
}

function sizeOf(unit: Buffer, bytes: number): Buffer {
  const size = Buffer.alloc(bytes);
  size.writeUIntBE(unit.length, 0, bytes);
  return size;
}

class BitWriter {
  readonly #bits: number[] = [];

  put(count: number, value: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) % 2);
    return this;
  }

  /** Exponential Golomb codes of unsigned numbers (section 9.2). Those of 0 are the same for signed ones. */
  golomb(...values: number[]): this {
    for (const value of values) {
      const length = Math.floor(Math.log2(value + 1));
      this.put(length, 0).put(length + 1, value + 1);
    }
    return this;
  }

  /** Writes the stop bit. */
  stop(): this {
    return this.put(1, 1).align();
  }

  align(): this {
    while (this.#bits.length % 8 > 0) this.#bits.push(0);
    return this;
  }

  bytes(): Buffer {
    const { length } = this.align().#bits;
    return Buffer.from(
      Array.from({ length: length / 8 }, (_, at) =>
        this.#bits.slice(8 * at, 8 * at + 8).reduce((byte, bit) => 2 * byte + bit, 0),
      ),
    );
  }
}
