import { EdgepressError } from '../protocol/error.ts';
import { readCameraRaw } from './containers/camera-raw.ts';
import { largestEmbeddedJpeg } from './containers/embedded-jpeg.ts';
import { largestIconPicture } from './containers/ico.ts';
import { asBuffer } from './containers/isobmff.ts';
import { notAnImageError } from './decode-errors.ts';
import { IMAGE_TYPES, type ImageType, sniffImageType } from './image-type.ts';

/** The file to decode: the source itself, or the one picture inside it that is shown. */
export interface IdentifiedFile {
  type: ImageType;
  bytes: Uint8Array;
  /** Of the source, where that is another than the type says. */
  contentType?: string;
}

/**
 * Tells what a source is, and takes the picture to show out of files that hold several: the preview of camera RAW, the largest picture of
 * an icon.
 *
 * @throws EdgepressError `source_not_image`, or `source_corrupt` for an icon without pictures
 */
export function identify(bytes: Uint8Array): IdentifiedFile {
  const type = sniffImageType(bytes);
  if (!type) throw notAnImageError(bytes);
  if (type === 'raw' || type === 'tiff') {
    const preview = rawPreview(bytes);
    if (preview) return preview;
  }
  if (type === 'ico') return iconPicture(bytes);
  if (type === 'raw') throw notAnImageError(bytes);
  return { type, bytes };
}

function rawPreview(bytes: Uint8Array): IdentifiedFile | undefined {
  const file = asBuffer(bytes);
  const raw = readCameraRaw(file);
  if (!raw) return undefined;
  const { contentType, orientation } = raw;
  const jpeg = largestEmbeddedJpeg(file, orientation);
  if (jpeg) return { type: 'jpeg', bytes: jpeg, contentType };
  const detail = `The source is camera RAW (${contentType}) without a JPEG preview: only previews are decoded`;
  throw new EdgepressError('source_not_image', detail);
}

function iconPicture(bytes: Uint8Array): IdentifiedFile {
  const picture = largestIconPicture(asBuffer(bytes));
  if (!picture) throw new EdgepressError('source_corrupt', 'The ico image is truncated or damaged');
  const type = picture.kind === 'png' ? 'png' : 'ico';
  return { type, bytes: picture.bytes, contentType: IMAGE_TYPES.ico.contentType };
}
