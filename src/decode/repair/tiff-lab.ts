import type { Chromaticity } from '../colours/cicp.ts';
import { D50 } from '../colours/convert-lab.ts';
import { convertToSrgb } from '../colours/convert-to-srgb.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { TIFF_TAG, type TiffEntries } from './tiff-entries.ts';
import { orientationEntry } from './tiff-extra-samples.ts';
import type { TiffKind } from './tiff-kind.ts';
import { readTiffSamples, writeTiffSamples } from './tiff-samples.ts';

const RGB = 2;
/** PhotometricInterpretation of CIE L*a*b* (TIFF 6.0, section 23) and of ICC L*a*b* (Adobe's TIFF Technical Note 4). */
const CIE_LAB = 8;
const ICC_LAB = 9;
const FORMAT = { SIGNED: 2, FLOATING_POINT: 3 };
const COLOURS = 3;
const RATIONAL = 5;
/** D65. It writes signed numbers of 16 bits, and no white. */
const WHITE_OF_LIBVIPS: Chromaticity = [0.3127, 0.329];

/** Whether the samples are whole numbers of L*a*b*. libvips takes most of these for no colours. */
export function isTiffLab({ photometric, bits, format, samples }: TiffKind): boolean {
  const isLab = photometric === CIE_LAB || photometric === ICC_LAB;
  return isLab && (bits === 8 || bits === 16) && format !== FORMAT.FLOATING_POINT && samples >= COLOURS;
}

/** Reads the chromaticity of the white that L*a*b* are relative to; D50 without one, as Adobe's note says. */
function whiteOf({ entries, isLittle }: TiffEntries, { bits, format }: TiffKind): Chromaticity {
  const usual = bits === 16 && format === FORMAT.SIGNED ? WHITE_OF_LIBVIPS : D50;
  const entry = entries.find(({ tag }) => tag === TIFF_TAG.WHITE_POINT);
  if (entry?.type !== RATIONAL || entry.data.length < 16) return usual;
  const number = (at: number) => (isLittle ? entry.data.readUInt32LE(at) : entry.data.readUInt32BE(at));
  const [x, y] = [number(0) / number(4), number(8) / number(12)];
  return x > 0 && y > 0 && x + y < 1 ? [x, y] : usual;
}

/** Returns the kind that the samples of a TIFF in L*a*b* are read as: RGB. */
export function readAsRgb(kind: TiffKind): TiffKind {
  return { ...kind, photometric: RGB, format: 1 };
}

/**
 * Returns an uncompressed TIFF in sRGB. Its samples cannot be resized before they are converted: those of CIE L*a*b* are signed.
 *
 * @param file - says that its samples are RGB
 * @param stored - the kind of the original
 * @param kind - that of `file`
 * @throws EdgepressError those of {@link readTiffSamples}
 */
export async function tiffOfLab(
  file: Uint8Array,
  directory: TiffEntries,
  stored: TiffKind,
  kind: TiffKind,
): Promise<Uint8Array> {
  const { data, channels } = await readTiffSamples(file, kind);
  const values = kind.bits === 16 ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  const pixels = await convertToSrgb(values, channels, {
    model: 'lab',
    white: whiteOf(directory, stored),
    isSigned: stored.photometric === CIE_LAB,
  });
  return writeTiffSamples(asBuffer(pixels.data), {
    ...kind,
    bits: 8,
    entries: [orientationEntry(directory)],
  });
}
