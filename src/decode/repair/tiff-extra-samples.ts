import sharp from 'sharp';
import { EdgepressError } from '../../protocol/error.ts';
import { DECODE_TIMEOUT_SECONDS, decodeError } from '../decode-errors.ts';
import { numbersEntry, TIFF_TAG, type TiffEntries, tiffNumbers, withTiffEntries } from './tiff-entries.ts';
import type { TiffKind } from './tiff-kind.ts';

/** All samples are in memory twice. */
const MAX_SAMPLE_BYTES = 256 * 2 ** 20;
const SHORT = 3;
const LONG = 4;
const [GREY, RGB, CMYK] = [1, 2, 5];
/** The colour spaces in which sharp leaves the samples as they are, by PhotometricInterpretation and bits. */
const SPACES: Readonly<Record<string, 'srgb' | 'rgb16' | 'cmyk'>> = {
  '0 8': 'srgb',
  '1 8': 'srgb',
  '2 8': 'srgb',
  '5 8': 'cmyk',
  '0 16': 'rgb16',
  '1 16': 'rgb16',
  '2 16': 'rgb16',
  '5 16': 'cmyk',
};

/**
 * Returns an uncompressed TIFF of the samples that are shown: libvips takes the first extra one for transparency, whatever it is, and sharp
 * keeps the others as channels that no encoder takes.
 *
 * @param file - with all samples
 * @throws EdgepressError `source_not_image` for numbers or colours of which this is not possible, `source_too_large`, or the errors of
 * decoding
 */
export async function withoutExtraSamples(
  file: Uint8Array,
  directory: TiffEntries,
  kind: TiffKind,
): Promise<Uint8Array> {
  const { width, height, samples, bits, format, photometric } = kind;
  const space = SPACES[`${photometric} ${bits}`];
  if (!space || format === 2 || format === 3) {
    const detail = `The source is a TIFF with ${samples} samples of ${bits} bits, which is not supported`;
    throw new EdgepressError('source_not_image', detail);
  }
  const size = (width * height * samples * bits) / 8;
  if (size > MAX_SAMPLE_BYTES)
    throw new EdgepressError(
      'source_too_large',
      `The tiff image has ${size} bytes of samples; at most ${MAX_SAMPLE_BYTES} are allowed`,
    );
  const image = sharp(file, {
    failOn: 'warning',
    ignoreIcc: true,
    limitInputPixels: false,
    limitInputChannels: samples,
  });
  const raw = (space === 'cmyk' ? image.pipelineColourspace('cmyk') : image)
    .toColourspace(space)
    .raw({ depth: bits === 16 ? 'ushort' : 'uchar' })
    .timeout({ seconds: DECODE_TIMEOUT_SECONDS });
  const { data, info } = await raw.toBuffer({ resolveWithObject: true }).catch((cause: Error) => {
    throw decodeError('tiff', cause);
  });
  return writeSamples(pickSamples(data, info.channels, kind), directory, kind);
}

/** sharp makes three channels of grey. */
function pickSamples(data: Buffer, channels: number, { photometric, bits, shown }: TiffKind): Buffer {
  const bytes = bits / 8;
  const isGrey = photometric < RGB;
  const picked = shown.map((sample) => (isGrey && sample > 0 ? sample + 2 : sample) * bytes);
  const pixels = data.length / (channels * bytes);
  const result = Buffer.alloc(pixels * picked.length * bytes);
  let at = 0;
  for (let pixel = 0; pixel < data.length; pixel += channels * bytes)
    for (const sample of picked)
      for (let byte = 0; byte < bytes; byte++) result[at++] = data[pixel + sample + byte] as number;
  return result;
}

/** Samples of 16 bits are those of this machine: little-endian. */
function writeSamples(
  data: Buffer,
  directory: TiffEntries,
  { width, height, photometric, bits, shown, extra, samples }: TiffKind,
): Buffer {
  const colours = samples - extra.length;
  const meanings = shown
    .filter((sample) => sample >= colours)
    .map((sample) => extra[sample - colours] as number);
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  const profile = directory.entries.filter(
    ({ tag, data: content }) => tag === TIFF_TAG.ICC_PROFILE && content.length > 0,
  );
  const [orientation = 1] = tiffNumbers(directory, TIFF_TAG.ORIENTATION);
  const entry = (tag: number, type: 3 | 4, values: number[]) => numbersEntry(true, tag, type, values);
  return withTiffEntries(Buffer.concat([header, data]), {
    isLittle: true,
    isBig: false,
    entries: [
      entry(TIFF_TAG.WIDTH, LONG, [width]),
      entry(TIFF_TAG.HEIGHT, LONG, [height]),
      entry(
        TIFF_TAG.BITS,
        SHORT,
        shown.map(() => bits),
      ),
      entry(TIFF_TAG.COMPRESSION, SHORT, [1]),
      entry(TIFF_TAG.PHOTOMETRIC, SHORT, [photometric === CMYK ? CMYK : photometric === RGB ? RGB : GREY]),
      entry(TIFF_TAG.STRIP_OFFSETS, LONG, [header.length]),
      entry(TIFF_TAG.ORIENTATION, SHORT, [orientation >= 1 && orientation <= 8 ? orientation : 1]),
      entry(TIFF_TAG.SAMPLES, SHORT, [shown.length]),
      entry(TIFF_TAG.ROWS_PER_STRIP, LONG, [height]),
      entry(TIFF_TAG.STRIP_BYTES, LONG, [data.length]),
      ...(meanings.length > 0 ? [entry(TIFF_TAG.EXTRA_SAMPLES, SHORT, meanings)] : []),
      ...profile.map((one) => ({ ...one, type: 7, count: one.data.length })),
    ],
  });
}
