import { srgbEncoder } from '../colours/cicp.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { TIFF_TAG } from './tiff-entries.ts';
import type { TiffKind } from './tiff-kind.ts';
import { readTiffSamples, type WrittenSamples, writeTiffSamples } from './tiff-samples.ts';

const [GREY, RGB] = [1, 2];
const FORMAT = { UNSIGNED: 1, FLOATING_POINT: 3 };

/**
 * Whether libvips shows less of the samples than there is: of whole numbers of 32 bits the lowest 8, of grey in floating point only black
 * and white. It knows RGB in floating point.
 */
export function isDeeperThanShown({ bits, format, photometric }: TiffKind): boolean {
  if (format === FORMAT.FLOATING_POINT) return photometric < RGB;
  return bits === 32 && format === FORMAT.UNSIGNED && photometric <= RGB;
}

/**
 * Returns an uncompressed TIFF with 8 bits a sample. Floating point is linear light from 0 to 1, as libvips takes it in RGB, and as Photoshop
 * writes it.
 *
 * @throws EdgepressError those of {@link readTiffSamples}
 */
export async function withSamplesOf8Bits(
  file: Uint8Array,
  kind: TiffKind,
  entries: WrittenSamples['entries'],
): Promise<Uint8Array> {
  const { data } = await readTiffSamples(file, kind);
  const { buffer, byteOffset, length } = data;
  const isLight = kind.format === FORMAT.FLOATING_POINT;
  const values = isLight
    ? Uint8Array.from(new Float32Array(buffer, byteOffset, length / 4), srgbEncoder())
    : Uint8Array.from(new Uint32Array(buffer, byteOffset, length / 4), (value) => value >>> 24);
  const photometric = kind.photometric === RGB ? RGB : GREY;
  return writeTiffSamples(asBuffer(values), {
    ...kind,
    photometric,
    bits: 8,
    // A profile says what the samples are, and not what light is in sRGB.
    entries: isLight ? entries.filter(({ tag }) => tag !== TIFF_TAG.ICC_PROFILE) : entries,
  });
}
