import { numbersEntry, TIFF_TAG, type TiffEntries, type TiffEntry, tiffNumbers } from './tiff-entries.ts';
import type { TiffKind } from './tiff-kind.ts';
import { readTiffSamples, type TiffSamples, writeTiffSamples } from './tiff-samples.ts';

const SHORT = 3;
const [GREY, RGB, CMYK] = [1, 2, 5];

/**
 * Returns an uncompressed TIFF of the samples that are shown: libvips takes the first extra one for transparency, whatever it is, and sharp
 * keeps the others as channels that no encoder takes.
 *
 * @param file - with all samples
 * @throws EdgepressError those of {@link readTiffSamples}
 */
export async function withoutExtraSamples(
  file: Uint8Array,
  directory: TiffEntries,
  kind: TiffKind,
): Promise<Uint8Array> {
  const { photometric, shown, extra, samples } = kind;
  const picked = pickSamples(await readTiffSamples(file, kind), kind);
  const colours = samples - extra.length;
  const alpha = shown.filter((sample) => sample >= colours);
  const profile = directory.entries.filter(
    ({ tag, data }) => tag === TIFF_TAG.ICC_PROFILE && data.length > 0,
  );
  return writeTiffSamples(picked, {
    ...kind,
    photometric: photometric === CMYK || photometric === RGB ? photometric : GREY,
    samples: shown.length,
    extra: alpha.map((sample) => extra[sample - colours] as number),
    entries: [
      orientationEntry(directory),
      ...profile.map((one) => ({ ...one, type: 7, count: one.data.length })),
    ],
  });
}

/** Returns the entry of the orientation, for a little-endian file. */
export function orientationEntry(directory: TiffEntries): TiffEntry {
  const [orientation = 1] = tiffNumbers(directory, TIFF_TAG.ORIENTATION);
  const isKnown = orientation >= 1 && orientation <= 8;
  return numbersEntry(true, TIFF_TAG.ORIENTATION, SHORT, [isKnown ? orientation : 1]);
}

function pickSamples({ data, channels }: TiffSamples, { photometric, bits, shown }: TiffKind): Buffer {
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
