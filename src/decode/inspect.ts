import type { Metadata } from 'sharp';
import { EdgepressError } from '../protocol/error.ts';
import { dropMetadata } from './bounds/drop-metadata.ts';
import { assertJpegWork } from './bounds/jpeg-work.ts';
import type { Colours } from './colours/colours.ts';
import { profileToApply, readColours } from './colours/read-colours.ts';
import { identify } from './identify.ts';
import { type Decoder, IMAGE_TYPES, type ImageType, type SourceFacts } from './image-type.ts';
import { readHeader } from './read-header.ts';
import { repairFile } from './repair/repair-file.ts';
import type { Size } from './size.ts';

/** What is known of a source before it is decoded. */
export interface InspectedSource {
  type: ImageType;
  decoder: Decoder;
  /** The file to decode: the original, or the picture inside it that is shown, with harmless faults repaired. */
  bytes: Uint8Array;
  facts: SourceFacts;
  metadata: Metadata;
  /** More than 1 for an animation. */
  frames: number;
  /** The index of the file's primary image. */
  page: number;
  /** An estimate of the memory that decoding takes at most, in bytes. */
  decodeBytes: number;
  /** The ICC profile to apply where there are no `colours`; see `profileToApply`. */
  iccProfile: Buffer | undefined;
  /** What the pixel values mean, where libvips does not know: the profile, if there is one, does not count. */
  colours: Colours | undefined;
  /** Whether warnings of the decoder are no sign of damage. */
  isLenient?: boolean;
  /** Whether it is RGB with 16 bits per channel. */
  isDeepRgb: boolean;
}

/**
 * The most memory that decoding one image may take, whatever `maxPixels` allows. It is enough for 47 megapixels of AVIF and 55 of HEIC
 * (phones take 48), and with the process's own memory stays below 1 GiB.
 */
const MAX_DECODE_BYTES = 900 * 2 ** 20;

/** Even tiny frames cost time: a GIF of 30 MB can hold a million frames of one pixel. */
const MAX_FRAMES = 2000;

/**
 * Reads the type and the metadata of a source and checks its limits, without decoding pixels.
 *
 * @param maxPixels - the limit of pixels, all frames together
 * @param isThorough - see `repairFile`
 * @throws EdgepressError `source_not_image`, `source_corrupt` (a damaged header, or damage that decoders pass over) or `source_too_large`
 */
export async function inspectSource(
  bytes: Uint8Array,
  maxPixels: number,
  isThorough = false,
): Promise<InspectedSource> {
  const file = identify(bytes);
  if (file.type === 'jpeg') assertJpegWork(file.bytes);
  const plain = dropMetadata(file.bytes, file.type);
  const repaired = await repairFile(plain, file.type, isThorough);
  const { type, decoder, metadata } = await readHeader(repaired, file.type);
  const { contentType = IMAGE_TYPES[type].contentType } = file;
  const frames = ANIMATED.includes(type) ? (metadata.pages ?? 1) : 1;
  const { width, height } = frames > 1 ? frameSize(metadata) : metadata.autoOrient;
  assertWithinLimits({ type, width, height, frames }, maxPixels);
  return {
    type,
    decoder,
    bytes: repaired,
    metadata,
    facts: { contentType, width, height, bytes: bytes.byteLength },
    frames,
    page: metadata.pagePrimary ?? 0,
    decodeBytes: width * height * frames * IMAGE_TYPES[type].decodeBytesPerPixel,
    iccProfile: profileToApply(metadata),
    colours: readColours(repaired, { type, decoder, metadata }),
    isDeepRgb: metadata.space === 'rgb16',
  };
}

/** Types whose files hold several pictures that are shown in turn, rather than pages. */
const ANIMATED: readonly ImageType[] = ['gif', 'webp', 'apng', 'avis'];

/** The orientation in the metadata of an animation is ignored, as browsers do: there is one for WebP only. */
function frameSize({ width, height }: Metadata): Size {
  return { width, height };
}

interface Dimensions {
  type: ImageType;
  width: number;
  height: number;
  frames: number;
}

function assertWithinLimits({ type, width, height, frames }: Dimensions, maxPixels: number): void {
  const limit = Math.min(maxPixels, Math.floor(MAX_DECODE_BYTES / IMAGE_TYPES[type].decodeBytesPerPixel));
  if (width * height * frames > limit) {
    const size = `${width}×${height}${frames > 1 ? ` × ${frames} frames` : ''}`;
    const detail = `The ${type} image is ${size} pixels; at most ${limit} are allowed`;
    throw new EdgepressError('source_too_large', detail);
  }
  if (frames > MAX_FRAMES) {
    throw new EdgepressError(
      'source_too_large',
      `The image has ${frames} frames; at most ${MAX_FRAMES} are allowed`,
    );
  }
}
