/** The types of originals that are decoded. `hevc` is the HEIF that phones write (HEIC): libvips reads its metadata but cannot decode it. */
export type ImageType = 'jpeg' | 'png' | 'gif' | 'webp' | 'tiff' | 'avif' | 'hevc';

export const CONTENT_TYPES: Readonly<Record<ImageType, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  tiff: 'image/tiff',
  avif: 'image/avif',
  hevc: 'image/heic',
};

/** Properties of a source, known before it is decoded. */
export interface SourceFacts {
  contentType: string;
  /** The size of one upright frame, in pixels. */
  width: number;
  height: number;
  bytes: number;
}

/** Brands of HEIF files, by codec (ISO/IEC 23008-12, annex B; AV1 Image File Format, section 6). */
const AVIF_BRANDS = ['avif', 'avis'];
const HEVC_BRANDS = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs'];

/**
 * Detects the type of a file from its first bytes. `Content-Type` is not reliable: servers send HTML with status 200 as `image/jpeg`.
 *
 * @returns `undefined` if the type is not supported: documents, SVG, and formats without a decoder
 */
export function sniffImageType(bytes: Uint8Array): ImageType | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 64)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'gif';
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp';
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'tiff';
  return head.slice(4, 8) === 'ftyp' ? sniffHeif(head) : undefined;
}

/** The major brand decides, or else the compatible brands: `mif1` and `msf1` do not name a codec. */
function sniffHeif(head: string): ImageType | undefined {
  const end = Math.min(head.length, (head.charCodeAt(2) << 8) | head.charCodeAt(3));
  const brands = [head.slice(8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(head.slice(at, at + 4));
  for (const brand of brands) {
    if (AVIF_BRANDS.includes(brand)) return 'avif';
    if (HEVC_BRANDS.includes(brand)) return 'hevc';
  }
  return undefined;
}
