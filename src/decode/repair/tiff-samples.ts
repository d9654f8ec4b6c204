import sharp from 'sharp';
import { EdgepressError } from '../../protocol/error.ts';
import { DECODE_TIMEOUT_SECONDS, withDecodeErrors } from '../decode-errors.ts';
import { numbersEntry, TIFF_TAG, type TiffEntry, withTiffEntries } from './tiff-entries.ts';
import type { TiffKind } from './tiff-kind.ts';

/** All samples are in memory twice. */
const MAX_SAMPLE_BYTES = 256 * 2 ** 20;
const SHORT = 3;
const LONG = 4;
/** The colour spaces in which sharp leaves the samples as they are, by PhotometricInterpretation and bits. */
const SPACES: Readonly<Record<string, 'srgb' | 'rgb16' | 'cmyk' | 'b-w'>> = {
  '0 8': 'srgb',
  '1 8': 'srgb',
  '2 8': 'srgb',
  '5 8': 'cmyk',
  '0 16': 'rgb16',
  '1 16': 'rgb16',
  '2 16': 'rgb16',
  '5 16': 'cmyk',
  '0 32': 'b-w',
  '1 32': 'b-w',
  '2 32': 'srgb',
};
const FORMAT = { SIGNED: 2, FLOATING_POINT: 3 };

/** Samples as sharp gives them: those of 16 and 32 bits are little-endian, as this machine is. */
export interface TiffSamples {
  data: Buffer;
  /** sharp makes three channels of grey, unless it has 32 bits. */
  channels: number;
}

/**
 * Decodes all samples of a TIFF, without a conversion of colours.
 *
 * @throws EdgepressError `source_not_image` for numbers or colours of which this is not possible, `source_too_large`, or the errors of
 * decoding
 */
export async function readTiffSamples(file: Uint8Array, kind: TiffKind): Promise<TiffSamples> {
  const { samples, bits, format, photometric } = kind;
  const depth = depthOf(kind);
  const space = SPACES[`${photometric} ${bits}`];
  if (!space || !depth || format === FORMAT.SIGNED) {
    const detail = `The source is a TIFF with ${samples} samples of ${bits} bits, which is not supported`;
    throw new EdgepressError('source_not_image', detail);
  }
  assertSampleBytes(kind);
  const image = sharp(file, {
    failOn: 'warning',
    ignoreIcc: true,
    limitInputPixels: false,
    limitInputChannels: samples,
  });
  const raw = (space === 'cmyk' ? image.pipelineColourspace('cmyk') : image)
    .toColourspace(space)
    .raw({ depth })
    .timeout({ seconds: DECODE_TIMEOUT_SECONDS });
  const { data, info } = await withDecodeErrors('tiff', () => raw.toBuffer({ resolveWithObject: true }));
  return { data, channels: info.channels };
}

function depthOf({ bits, format, extra }: TiffKind): 'uchar' | 'ushort' | 'uint' | 'float' | undefined {
  const isFloatingPoint = format === FORMAT.FLOATING_POINT;
  // libvips takes transparency for a number of 8 or 16 bits.
  if (bits === 32 && extra.length === 0) return isFloatingPoint ? 'float' : 'uint';
  if (isFloatingPoint) return undefined;
  return ({ 8: 'uchar', 16: 'ushort' } as const)[bits];
}

/** @throws EdgepressError `source_too_large` for more samples than memory */
export function assertSampleBytes({ width, height, samples, bits }: TiffKind): void {
  const size = (width * height * samples * bits) / 8;
  if (size > MAX_SAMPLE_BYTES)
    throw new EdgepressError(
      'source_too_large',
      `The tiff image has ${size} bytes of samples; at most ${MAX_SAMPLE_BYTES} are allowed`,
    );
}

/** How samples are written. */
export interface WrittenSamples extends Pick<TiffKind, 'width' | 'height' | 'photometric' | 'bits'> {
  /** Of a pixel. */
  samples: number;
  /** The meaning of those that are no colour. */
  extra: readonly number[];
  /** More entries of the directory. */
  entries: readonly TiffEntry[];
}

/** Returns an uncompressed TIFF in one strip. */
export function writeTiffSamples(
  data: Buffer,
  { width, height, photometric, bits, samples, extra, entries }: WrittenSamples,
): Buffer {
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  const entry = (tag: number, type: 3 | 4, values: readonly number[]) =>
    numbersEntry(true, tag, type, values);
  return withTiffEntries(Buffer.concat([header, data]), {
    isLittle: true,
    isBig: false,
    entries: [
      entry(TIFF_TAG.WIDTH, LONG, [width]),
      entry(TIFF_TAG.HEIGHT, LONG, [height]),
      entry(TIFF_TAG.BITS, SHORT, Array(samples).fill(bits)),
      entry(TIFF_TAG.COMPRESSION, SHORT, [1]),
      entry(TIFF_TAG.PHOTOMETRIC, SHORT, [photometric]),
      entry(TIFF_TAG.STRIP_OFFSETS, LONG, [header.length]),
      entry(TIFF_TAG.SAMPLES, SHORT, [samples]),
      entry(TIFF_TAG.ROWS_PER_STRIP, LONG, [height]),
      entry(TIFF_TAG.STRIP_BYTES, LONG, [data.length]),
      ...(extra.length > 0 ? [entry(TIFF_TAG.EXTRA_SAMPLES, SHORT, extra)] : []),
      ...entries,
    ],
  });
}
