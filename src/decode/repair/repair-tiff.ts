import { EdgepressError } from '../../protocol/error.ts';
import { isDeeperThanShown, withSamplesOf8Bits } from './tiff-deep.ts';
import {
  numbersEntry,
  readTiffEntries,
  TIFF_TAG,
  type TiffEntries,
  type TiffEntry,
  tiffNumbers,
  withTiffEntries,
} from './tiff-entries.ts';
import { orientationEntry, withoutExtraSamples } from './tiff-extra-samples.ts';
import { readTiffKind, type TiffKind } from './tiff-kind.ts';
import { isTiffLab, readAsRgb, tiffOfLab } from './tiff-lab.ts';
import { joinPlanes } from './tiff-planes.ts';

const [SHORT, LONG] = [3, 4] as const;

/** Tags with one number that say how pixels are stored (TIFF 6.0), with the type that libtiff expects. */
const NUMBERS: readonly (readonly [tag: number, type: 3 | 4])[] = [
  [TIFF_TAG.WIDTH, LONG],
  [TIFF_TAG.HEIGHT, LONG],
  [TIFF_TAG.COMPRESSION, SHORT],
  [TIFF_TAG.FILL_ORDER, SHORT],
  [TIFF_TAG.ORIENTATION, SHORT],
  [TIFF_TAG.ROWS_PER_STRIP, LONG],
  [TIFF_TAG.PLANAR, SHORT],
  [TIFF_TAG.T4_OPTIONS, LONG],
  [TIFF_TAG.T6_OPTIONS, LONG],
  [TIFF_TAG.PREDICTOR, SHORT],
  [TIFF_TAG.TILE_WIDTH, LONG],
  [TIFF_TAG.TILE_HEIGHT, LONG],
  [TIFF_TAG.INK_SET, SHORT],
  [TIFF_TAG.SUBSAMPLING_POSITION, SHORT],
];
/** Tags that are kept as they are: colours, and tables of compressions. */
const KEPT: readonly number[] = [
  TIFF_TAG.COLOUR_MAP,
  TIFF_TAG.JPEG_TABLES,
  TIFF_TAG.YCBCR_COEFFICIENTS,
  TIFF_TAG.SUBSAMPLING,
  TIFF_TAG.REFERENCE_BLACK_WHITE,
];
/** The places of the pixels, and their lengths. */
const PLACES: readonly number[] = [
  TIFF_TAG.STRIP_OFFSETS,
  TIFF_TAG.STRIP_BYTES,
  TIFF_TAG.TILE_OFFSETS,
  TIFF_TAG.TILE_BYTES,
];
const UNDEFINED = 7;
const UNCOMPRESSED = 1;
const YCBCR = 6;
const BLACK_IS_ZERO = 1;
/** Bits of the samples of which planes can be joined. */
const JOINED_BITS: readonly number[] = [8, 16];

/**
 * Repairs a TIFF for libtiff, which warns of tags that have nothing to do with the pixels: out of order, unknown, with a text that has no
 * NUL at its end or one before it, of another type or count than it expects. Its first directory is written anew with what decoding needs,
 * so that any warning that is left is one of damage. What libvips does not read, or not rightly, is written anew: samples that are neither
 * colour nor transparency are taken out, planes in tiles are joined, samples of 32 bits get 8, and L*a*b* is converted to sRGB.
 *
 * @returns the same bytes if the directory cannot be read
 * @throws EdgepressError `source_not_image` for kinds of TIFF that are not decoded, `source_too_large` for more samples than memory,
 * `source_corrupt` if the file ends before its pixels do
 */
export async function repairTiff(bytes: Uint8Array): Promise<Uint8Array> {
  const directory = readTiffEntries(bytes);
  if (!directory) return bytes;
  const stored = readTiffKind(directory);
  const isLab = isTiffLab(stored);
  const kind = isLab ? readAsRgb(stored) : stored;
  const hasExtra = kind.shown.length < kind.samples;
  const shown = hasExtra && kind.isPlanar ? onlyShown(kind) : kind;
  assertWhole(directory, kind, bytes.length);
  const repaired = await readable(bytes, directory, kind, shown);
  const colours =
    shown.shown.length < shown.samples ? await withoutExtraSamples(repaired, directory, shown) : repaired;
  return isLab ? await tiffOfLab(colours, directory, stored, onlyShown(kind)) : colours;
}

/**
 * Returns a TIFF with the same samples that libvips reads.
 *
 * @param kind - of the file
 * @param shown - of what is returned: the planes of samples that are not shown are left out
 */
async function readable(
  bytes: Uint8Array,
  directory: TiffEntries,
  kind: TiffKind,
  shown: TiffKind,
): Promise<Uint8Array> {
  const entries = [orientationEntry(directory), ...profileEntry(directory)];
  const isInTiles = tiffNumbers(directory, TIFF_TAG.TILE_OFFSETS).length > 0;
  if (kind.isPlanar && isInTiles && kind.photometric !== YCBCR && JOINED_BITS.includes(kind.bits)) {
    const planeOf = (sample: number) => ({ ...kind, shown: [kind.shown[sample] as number] });
    const grey = { ...shown, photometric: BLACK_IS_ZERO, samples: 1, extra: [] };
    const fileOf = (sample: number) => withEntries(bytes, directory, planeOf(sample), grey);
    return await joinPlanes(onlyShown(kind), fileOf, entries);
  }
  const file = withEntries(bytes, directory, kind, shown);
  return isDeeperThanShown(shown) ? await withSamplesOf8Bits(file, shown, entries) : file;
}

/** Returns the file with a directory of what decoding needs. */
function withEntries(bytes: Uint8Array, directory: TiffEntries, kind: TiffKind, shown: TiffKind): Uint8Array {
  const entries = [
    ...NUMBERS.filter(([tag]) => tag !== TIFF_TAG.PLANAR || shown.samples > 1).flatMap(([tag, type]) =>
      numberEntry(directory, tag, type),
    ),
    ...KEPT.flatMap((tag) => directory.entries.find((one) => one.tag === tag && one.data.length > 0) ?? []),
    ...placeEntries(directory, kind),
    ...sampleEntries(directory, shown),
    ...profileEntry(directory),
  ];
  return withTiffEntries(bytes, { ...directory, entries });
}

/**
 * libtiff would read on in the directory that is written behind the file.
 *
 * @param length - of the file, in bytes
 */
function assertWhole(directory: TiffEntries, kind: TiffKind, length: number): void {
  const [strips, tiles] = [TIFF_TAG.STRIP_OFFSETS, TIFF_TAG.TILE_OFFSETS].map((tag) =>
    tiffNumbers(directory, tag),
  );
  const [stripLengths, tileLengths] = [
    stripBytes(directory, kind),
    tiffNumbers(directory, TIFF_TAG.TILE_BYTES),
  ];
  const isCutOff = (offsets: number[] = [], lengths: number[]) =>
    offsets.some((offset, index) => offset + (lengths[index] ?? 0) > length);
  if (isCutOff(strips, stripLengths) || isCutOff(tiles, tileLengths))
    throw new EdgepressError('source_corrupt', 'The tiff image is truncated');
}

/** Returns the kind of a TIFF that has no other samples. */
function onlyShown(kind: TiffKind): TiffKind {
  const { shown, samples, extra } = kind;
  const colours = samples - extra.length;
  const kept = shown.filter((sample) => sample >= colours).map((sample) => extra[sample - colours] as number);
  return { ...kind, samples: shown.length, extra: kept, shown: shown.map((_, index) => index) };
}

function numberEntry(directory: TiffEntries, tag: number, type: 3 | 4): TiffEntry[] {
  const [value] = tiffNumbers(directory, tag);
  const isWrong = value === undefined || (tag === TIFF_TAG.ORIENTATION && (value < 1 || value > 8));
  return isWrong ? [] : [numbersEntry(directory.isLittle, tag, type, [value])];
}

/** Some programs write what holds for each sample once for all, or leave out the meaning of extra ones. */
function sampleEntries(
  directory: TiffEntries,
  { samples, photometric, bits, format, extra }: TiffKind,
): TiffEntry[] {
  const entry = (tag: number, values: number[]) => numbersEntry(directory.isLittle, tag, SHORT, values);
  return [
    entry(TIFF_TAG.SAMPLES, [samples]),
    entry(TIFF_TAG.PHOTOMETRIC, [photometric]),
    entry(TIFF_TAG.BITS, Array(samples).fill(bits)),
    entry(TIFF_TAG.SAMPLE_FORMAT, Array(samples).fill(format === 4 ? 1 : format)),
    ...(extra.length > 0 ? [entry(TIFF_TAG.EXTRA_SAMPLES, extra)] : []),
  ];
}

/** The places of strips or tiles. In separate planes, those of each sample follow each other: the planes that are not shown are left out. */
function placeEntries(directory: TiffEntries, kind: TiffKind): TiffEntry[] {
  const { isLittle, isBig } = directory;
  return PLACES.flatMap((tag) => {
    const values = tag === TIFF_TAG.STRIP_BYTES ? stripBytes(directory, kind) : tiffNumbers(directory, tag);
    const planeLength = Math.floor(values.length / kind.samples);
    const shown = kind.isPlanar
      ? kind.shown.flatMap((plane) => values.slice(plane * planeLength, (plane + 1) * planeLength))
      : values;
    const isWide = isBig && shown.some((value) => value > 0xffffffff);
    if (shown.length === 0) return [];
    return isWide
      ? directory.entries.filter((entry) => entry.tag === tag).slice(0, 1)
      : [numbersEntry(isLittle, tag, LONG, shown)];
  });
}

/** Returns the lengths of the strips. Without compression they follow from the size: some programs write none, or wrong ones. */
function stripBytes(directory: TiffEntries, kind: TiffKind): number[] {
  const named = tiffNumbers(directory, TIFF_TAG.STRIP_BYTES);
  const strips = tiffNumbers(directory, TIFF_TAG.STRIP_OFFSETS).length;
  const { compression, photometric, isPlanar, width, height, samples, bits } = kind;
  if (compression !== UNCOMPRESSED || photometric === YCBCR || isPlanar) return named;
  const rows = Math.min(height, tiffNumbers(directory, TIFF_TAG.ROWS_PER_STRIP)[0] || height);
  if (strips !== Math.ceil(height / rows)) return named;
  const rowBytes = Math.ceil((width * samples * bits) / 8);
  return Array.from({ length: strips }, (_, strip) => rowBytes * Math.min(rows, height - strip * rows));
}

function profileEntry({ entries }: TiffEntries): TiffEntry[] {
  const profile = entries.find(({ tag }) => tag === TIFF_TAG.ICC_PROFILE);
  const isWhole = profile && profile.data.length > 0 && profile.data.length >= profile.count;
  return isWhole ? [{ ...profile, type: UNDEFINED, count: profile.data.length }] : [];
}
