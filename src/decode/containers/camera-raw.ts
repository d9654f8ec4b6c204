import { boxesIn, findBox } from './isobmff.ts';
import { type TiffDirectory, tiffReader } from './tiff-directory.ts';

/** A camera's RAW file. */
export interface CameraRaw {
  contentType: string;
  /** As EXIF has it, from 1 to 8; `undefined` if the file does not say it beside its preview. */
  orientation: number | undefined;
}

/** Tags of TIFF 6.0, TIFF/EP (ISO 12234-2) and DNG. */
const TAG = {
  NEW_SUBFILE_TYPE: 254,
  PHOTOMETRIC: 262,
  MAKE: 271,
  ORIENTATION: 274,
  SUB_IFDS: 330,
  DNG_VERSION: 50_706,
};
const REDUCED_RESOLUTION = 1;
/** Values of PhotometricInterpretation for what a sensor recorded: through a colour filter array, and linear. */
const SENSOR_PHOTOMETRICS = [32_803, 34_892];

/** RAW files with signatures of their own. Those of Olympus and Panasonic are a TIFF otherwise. */
const SIGNATURES: readonly [start: string, contentType: string][] = [
  ['IIRO', 'image/x-olympus-orf'],
  ['IIRS', 'image/x-olympus-orf'],
  ['MMOR', 'image/x-olympus-orf'],
  ['IIU\0', 'image/x-panasonic-rw2'],
];

/** Makers by what begins their name in the tag Make. */
const MAKERS: readonly [maker: string, contentType: string][] = [
  ['NIKON', 'image/x-nikon-nef'],
  ['SONY', 'image/x-sony-arw'],
  ['PENTAX', 'image/x-pentax-pef'],
  ['RICOH', 'image/x-pentax-pef'],
  ['SAMSUNG', 'image/x-samsung-srw'],
];
const HEADER_BYTES = 8;
/** Where Canon's CR2 has its name, after the header of a TIFF. */
const CR2_NAME_AT = HEADER_BYTES;
/** The text of Make is near the start. */
const HEAD_BYTES = 65_536;

/** Returns what is known of a camera's RAW file; `undefined` for any other file. */
export function readCameraRaw(file: Buffer): CameraRaw | undefined {
  const head = file.toString('latin1', 0, 16);
  if (head.startsWith('FUJIFILMCCD-RAW')) return { contentType: 'image/x-fuji-raf', orientation: undefined };
  if (head.startsWith('ftypcrx ', 4))
    return { contentType: 'image/x-canon-cr3', orientation: cr3Orientation(file) };
  const signature = SIGNATURES.find(([start]) => head.startsWith(start));
  if (!signature && !/^(II\*\0|MM\0\*)/.test(head)) return undefined;
  const reader = tiffReader(file);
  const first = reader.readFirst();
  const orientation = orientationOf(first);
  if (signature) return { contentType: signature[1], orientation };
  if (head.startsWith('CR', CR2_NAME_AT)) return { contentType: 'image/x-canon-cr2', orientation };
  if (first.has(TAG.DNG_VERSION)) return { contentType: 'image/x-adobe-dng', orientation };
  // In a file that is cut off, the main directory may be missing; the thumbnail's still is at its usual place.
  const thumbnails = [first, reader.readDirectory(HEADER_BYTES)];
  const subDirectories = (first.get(TAG.SUB_IFDS) ?? []).map(reader.readDirectory);
  const isRaw = [first, ...subDirectories].some(isSensorData) || thumbnails.some(isThumbnailOfCamera);
  return isRaw ? { contentType: contentTypeByMaker(file), orientation } : undefined;
}

function isSensorData(directory: TiffDirectory): boolean {
  return SENSOR_PHOTOMETRICS.includes(directory.get(TAG.PHOTOMETRIC)?.[0] ?? 0);
}

/** In a RAW file as in no other, the first image is a thumbnail, and a camera is named. */
function isThumbnailOfCamera(first: TiffDirectory): boolean {
  return first.get(TAG.NEW_SUBFILE_TYPE)?.[0] === REDUCED_RESOLUTION && first.has(TAG.MAKE);
}

function contentTypeByMaker(file: Buffer): string {
  const head = file.toString('latin1', 0, HEAD_BYTES);
  return MAKERS.find(([maker]) => head.includes(maker))?.[1] ?? 'image/x-dcraw';
}

function orientationOf(directory: TiffDirectory): number | undefined {
  const orientation = directory.get(TAG.ORIENTATION)?.[0];
  return orientation !== undefined && orientation >= 1 && orientation <= 8 ? orientation : undefined;
}

/** The first of the boxes CMT1 to CMT4, in Canon's box of the movie, is the main directory of a TIFF. */
function cr3Orientation(file: Buffer): number | undefined {
  const movie = findBox(file, ['moov']);
  const canon = movie && boxesIn(file, movie.start, movie.end).find(({ type }) => type === 'uuid');
  const tiff = canon && findBox(file, ['CMT1'], canon.start + 16, canon.end);
  return tiff && orientationOf(tiffReader(file.subarray(0, tiff.end), tiff.start).readFirst());
}
