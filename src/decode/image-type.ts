/** What turns the file of a source into pixels: sharp itself, or a decoder that hands sharp its pixels. */
export type Decoder = 'sharp' | 'bmp' | 'magick' | 'pdfium' | 'apng';

/**
 * The types of originals that are decoded. `hevc` is the HEIF that phones write (HEIC); `avis` is an AVIF image sequence, whose frames are
 * a track as in a video; `apng` is an animated PNG. The preview of camera RAW is a `jpeg`.
 */
export type ImageType =
  | 'jpeg'
  | 'png'
  | 'apng'
  | 'gif'
  | 'webp'
  | 'tiff'
  | 'avif'
  | 'avis'
  | 'hevc'
  | 'bmp'
  | 'ico'
  | 'jxl'
  | 'jp2'
  | 'psd'
  | 'pdf';

/** What is the same for all sources of a type. */
interface TypeTraits {
  contentType: string;
  decoder: Decoder;
  /**
   * The most memory per pixel that decoding hostile images took (16 bits interlaced, progressive, 4:4:4 with alpha; 99 megapixels of one
   * colour, a few kilobytes as AVIF). libvips streams most images, but not these.
   */
  decodeBytesPerPixel: number;
}

export const IMAGE_TYPES: Readonly<Record<ImageType, TypeTraits>> = {
  jpeg: { contentType: 'image/jpeg', decoder: 'sharp', decodeBytesPerPixel: 7 },
  png: { contentType: 'image/png', decoder: 'sharp', decodeBytesPerPixel: 9 },
  apng: { contentType: 'image/apng', decoder: 'apng', decodeBytesPerPixel: 12 },
  gif: { contentType: 'image/gif', decoder: 'sharp', decodeBytesPerPixel: 4 },
  webp: { contentType: 'image/webp', decoder: 'sharp', decodeBytesPerPixel: 4 },
  tiff: { contentType: 'image/tiff', decoder: 'sharp', decodeBytesPerPixel: 4 },
  avif: { contentType: 'image/avif', decoder: 'sharp', decodeBytesPerPixel: 20 },
  avis: { contentType: 'image/avif', decoder: 'magick', decodeBytesPerPixel: 20 },
  hevc: { contentType: 'image/heic', decoder: 'magick', decodeBytesPerPixel: 17 },
  bmp: { contentType: 'image/bmp', decoder: 'bmp', decodeBytesPerPixel: 9 },
  ico: { contentType: 'image/x-icon', decoder: 'bmp', decodeBytesPerPixel: 9 },
  jxl: { contentType: 'image/jxl', decoder: 'magick', decodeBytesPerPixel: 24 },
  jp2: { contentType: 'image/jp2', decoder: 'magick', decodeBytesPerPixel: 30 },
  psd: { contentType: 'image/vnd.adobe.photoshop', decoder: 'magick', decodeBytesPerPixel: 30 },
  pdf: { contentType: 'application/pdf', decoder: 'pdfium', decodeBytesPerPixel: 12 },
};

/** What a decoder other than sharp gives: pixels in RGB, or in a model that is yet to be converted. */
export type DecodedSamples = DecodedPixels | (Omit<DecodedPixels, 'model' | 'channels'> & OtherSamples);

interface OtherSamples {
  /** In CMYK more is more ink. In L*a*b*, relative to D50, 0 of a* and b* is in the middle. */
  model: 'cmyk' | 'lab';
  /** Of the colours, and of straight alpha. */
  channels: 3 | 4 | 5;
}

/** Pixels in RGB of 8 bits a channel, rows from top to bottom, the frames of an animation one below the other. */
export interface DecodedPixels {
  data: Uint8Array;
  /** Of one frame, in pixels. */
  width: number;
  height: number;
  model?: 'rgb';
  /** RGB, or RGBA with straight alpha. */
  channels: 3 | 4;
  frames: number;
  /** The profile that is embedded in the file, where the decoder says it. */
  iccProfile?: Uint8Array | undefined;
}

/** Properties of a source, known before it is decoded. */
export interface SourceFacts {
  contentType: string;
  /** The size of one upright frame, in pixels. */
  width: number;
  height: number;
  bytes: number;
}

/** Types by what their files begin with. */
const SIGNATURES: readonly [start: string, type: ImageType | 'raw'][] = [
  ['\xff\xd8\xff', 'jpeg'],
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['GIF87a', 'gif'],
  ['GIF89a', 'gif'],
  ['II*\0', 'tiff'],
  ['MM\0*', 'tiff'],
  // BigTIFF.
  ['II+\0', 'tiff'],
  ['MM\0+', 'tiff'],
  // Icons and cursors.
  // A bare codestream, and one in boxes.
  ['\xff\x0a', 'jxl'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'jxl'],
  ['\xff\x4f\xff\x51', 'jp2'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'jp2'],
  ['8BPS\0\x01', 'psd'],
  // PSB, for large documents.
  ['8BPS\0\x02', 'psd'],
  // Camera RAW of Olympus, Panasonic and Fujifilm. That of other cameras is a TIFF, or HEIF with a brand of its own.
  ['IIRO', 'raw'],
  ['IIRS', 'raw'],
  ['MMOR', 'raw'],
  ['IIU\0', 'raw'],
  ['FUJIFILMCCD-RAW', 'raw'],
];

/** Of an icon and of a cursor. */
const ICON_STARTS = ['\0\0\x01\0', '\0\0\x02\0'];

/** The sizes of the headers that may follow the file header of a BMP. */
const BMP_HEADER_BYTES = { least: 12, most: 124 };

/** Brands of files in boxes, by codec (ISO/IEC 23008-12, annex B; AV1 Image File Format, section 6; Canon's CR3). */
const BRANDS: Readonly<Record<string, ImageType | 'raw'>> = {
  avif: 'avif',
  avis: 'avif',
  heic: 'hevc',
  heix: 'hevc',
  hevc: 'hevc',
  hevx: 'hevc',
  heim: 'hevc',
  heis: 'hevc',
  hevm: 'hevc',
  hevs: 'hevc',
  'crx ': 'raw',
};

/** Where the header of a PDF may begin: readers accept bytes before it. */
const PDF_START = 1024;

/**
 * Detects the type of a file from its first bytes. `Content-Type` is not reliable: servers send HTML with status 200 as `image/jpeg`.
 *
 * @returns `raw` for camera RAW that is no TIFF; `undefined` if the type is not supported: documents, SVG, and formats without a decoder
 */
export function sniffImageType(bytes: Uint8Array): ImageType | 'raw' | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, PDF_START)).toString(
    'latin1',
  );
  const signature = SIGNATURES.find(([start]) => head.startsWith(start));
  if (signature) return signature[1];
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp';
  if (head.startsWith('BM') && isBmpHeader(head)) return 'bmp';
  if (isIconHeader(head)) return 'ico';
  if (head.slice(4, 8) === 'ftyp') return sniffBrands(head);
  return head.includes('%PDF-') ? 'pdf' : undefined;
}

function isBmpHeader(head: string): boolean {
  const { least, most } = BMP_HEADER_BYTES;
  const bytes = head.charCodeAt(14);
  return bytes >= least && bytes <= most && head.slice(15, 18) === '\0\0\0';
}

/** An icon or a cursor, with at least one picture: Targa files begin the same way, with zeros in the place of their number. */
function isIconHeader(head: string): boolean {
  return ICON_STARTS.includes(head.slice(0, 4)) && head.slice(4, 6) !== '\0\0';
}

/** The major brand decides, or else the compatible brands: `mif1` and `msf1` do not name a codec. */
function sniffBrands(head: string): ImageType | 'raw' | undefined {
  const end = Math.min(head.length, 64, (head.charCodeAt(2) << 8) | head.charCodeAt(3));
  const brands = [head.slice(8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(head.slice(at, at + 4));
  return brands.map((brand) => BRANDS[brand]).find((type) => type !== undefined);
}
