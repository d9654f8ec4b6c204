import { asBuffer } from '../containers/isobmff.ts';
import type { TiffKind } from './tiff-kind.ts';
import { assertSampleBytes, readTiffSamples, type WrittenSamples, writeTiffSamples } from './tiff-samples.ts';

const GREY = 1;

/**
 * Returns an uncompressed TIFF of planes that were stored one after the other. libvips reads separate planes in strips only, not in tiles.
 *
 * @param kind - of the samples that are shown
 * @param fileOf - returns a TIFF that has one plane only, as grey
 * @throws EdgepressError those of {@link readTiffSamples}
 */
export async function joinPlanes(
  kind: TiffKind,
  fileOf: (plane: number) => Uint8Array,
  entries: WrittenSamples['entries'],
): Promise<Uint8Array> {
  assertSampleBytes(kind);
  const { samples, bits, width, height } = kind;
  const plane = { ...kind, photometric: GREY, samples: 1, extra: [], shown: [0], isPlanar: false };
  const joined =
    bits === 16 ? new Uint16Array(width * height * samples) : new Uint8Array(width * height * samples);
  for (let sample = 0; sample < samples; sample++) {
    const { data, channels } = await readTiffSamples(fileOf(sample), plane);
    const values = bits === 16 ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
    for (let from = 0, to = sample; from < values.length; from += channels, to += samples)
      joined[to] = values[from] as number;
  }
  return writeTiffSamples(asBuffer(new Uint8Array(joined.buffer)), { ...kind, entries });
}
