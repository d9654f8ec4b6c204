import { EdgepressError } from '../../protocol/error.ts';
import { TIFF_TAG, type TiffEntries, tiffNumbers } from './tiff-entries.ts';

/** How the pixels of a TIFF are stored. */
export interface TiffKind {
  width: number;
  height: number;
  compression: number;
  photometric: number;
  samples: number;
  /** Bits of each sample, and its format: 1 for unsigned, 2 for signed numbers, 3 for floating point. */
  bits: number;
  format: number;
  isPlanar: boolean;
  /** The meaning of each sample that is no colour: 1 and 2 for transparency, 0 for anything else. */
  extra: number[];
  /** The samples to show: those of the colours, and of transparency. */
  shown: number[];
}

const PHOTOMETRIC = { WHITE_IS_ZERO: 0, BLACK_IS_ZERO: 1, RGB: 2, SEPARATED: 5 };
const FIRST_FAX = 2;
const LAST_FAX = 4;
/** Inks other than cyan, magenta, yellow and black. */
const OTHER_INKS = 2;
const INKS = 4;
/** Pictures of satellites have more, but none of these is a colour to show. */
const MAX_SAMPLES = 64;

/** Samples of a colour, by the tag PhotometricInterpretation (TIFF 6.0; TIFF technical notes). */
const COLOUR_SAMPLES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 3,
  3: 1,
  5: INKS,
  6: 3,
  // L*a*b* and LogLuv: libvips decodes some.
  8: 3,
  9: 3,
  10: 3,
  32844: 1,
  32845: 3,
};
/** Bits of a sample that libvips reads, by the tag PhotometricInterpretation. */
const BITS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16, 32],
  1: [1, 2, 4, 8, 16, 32],
  2: [8, 16, 32],
  3: [1, 2, 4, 8, 16],
  5: [8, 16, 32],
  6: [8],
};
const FLOATING_POINT = 3;
const OTHER_COLOURS: Readonly<Record<number, string>> = {
  4: 'that is a transparency mask',
  32803: 'with the raw values of a camera’s sensor',
  34892: 'with the raw values of a camera’s sensor',
};
const FORMATS: Readonly<Record<number, string>> = {
  2: 'signed',
  3: 'floating point',
  5: 'complex',
  6: 'complex',
};

/**
 * Reads how the pixels of a TIFF are stored.
 *
 * @throws EdgepressError `source_not_image` for colours and numbers that are not decoded
 */
export function readTiffKind(directory: TiffEntries): TiffKind {
  const first = (tag: number, otherwise: number) => tiffNumbers(directory, tag)[0] ?? otherwise;
  const samples = first(TIFF_TAG.SAMPLES, tiffNumbers(directory, TIFF_TAG.BITS).length || 1);
  if (samples < 1 || samples > MAX_SAMPLES) throw unsupported(`with ${samples} samples`);
  const compression = first(TIFF_TAG.COMPRESSION, 1);
  const photometric = first(TIFF_TAG.PHOTOMETRIC, usualPhotometric(samples, compression));
  const colours = COLOUR_SAMPLES[photometric];
  if (colours === undefined)
    throw unsupported(OTHER_COLOURS[photometric] ?? `in colours of kind ${photometric}`);
  const bits = first(TIFF_TAG.BITS, 1);
  const format = first(TIFF_TAG.SAMPLE_FORMAT, 1);
  assertKnownBits(tiffNumbers(directory, TIFF_TAG.BITS), photometric, format);
  if (format > 3 && format !== 4) throw unsupported(`of ${FORMATS[format] ?? 'unknown'} numbers`);
  const isOtherInks = first(TIFF_TAG.INK_SET, 1) === OTHER_INKS;
  if (photometric === PHOTOMETRIC.SEPARATED && (samples < INKS || isOtherInks))
    throw unsupported(`of ${samples} inks`);
  const named = tiffNumbers(directory, TIFF_TAG.EXTRA_SAMPLES);
  const extra = Array.from({ length: Math.max(0, samples - colours) }, (_, index) => named[index] ?? 0);
  const alpha = extra.findIndex((meaning) => meaning === 1 || meaning === 2);
  const shown = Array.from({ length: Math.min(colours, samples) }, (_, index) => index);
  return {
    width: first(TIFF_TAG.WIDTH, 0),
    height: first(TIFF_TAG.HEIGHT, 0),
    compression,
    photometric,
    samples,
    bits,
    format,
    isPlanar: samples > 1 && first(TIFF_TAG.PLANAR, 1) === 2,
    extra,
    shown: alpha < 0 ? shown : [...shown, colours + alpha],
  };
}

/** Throws for samples of sizes that libvips does not read. */
function assertKnownBits(all: readonly number[], photometric: number, format: number): void {
  const bits = all[0] ?? 1;
  const known = BITS[photometric];
  if (all.some((other) => other !== bits)) throw unsupported('with samples of different sizes');
  if ((known && !known.includes(bits)) || (format === FLOATING_POINT && bits < 16))
    throw unsupported(`with samples of ${bits} bits`);
}

/** The tag is required, but there are files without. */
function usualPhotometric(samples: number, compression: number): number {
  if (samples >= 3) return PHOTOMETRIC.RGB;
  const isFax = compression >= FIRST_FAX && compression <= LAST_FAX;
  return isFax ? PHOTOMETRIC.WHITE_IS_ZERO : PHOTOMETRIC.BLACK_IS_ZERO;
}

function unsupported(what: string): EdgepressError {
  return new EdgepressError('source_not_image', `The source is a TIFF ${what}, which is not supported`);
}
