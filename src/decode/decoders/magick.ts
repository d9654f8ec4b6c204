import type { BytePatch } from '../containers/heif-items.ts';
import type { DecodedSamples, ImageType } from '../image-type.ts';
import { runDecoder, type ThreadedDecoder } from './decoder-thread.ts';

/** ImageMagick in WebAssembly (Apache-2.0), for types that sharp does not decode. */
const MAGICK: ThreadedDecoder = {
  script: new URL('./magick-worker.mjs', import.meta.url),
  wasm: '@imagemagick/magick-wasm/magick.wasm',
};

/** What ImageMagick calls a type. It never guesses: its guesses include formats that fetch and that run programs. */
const FORMATS: Readonly<Partial<Record<ImageType, string>>> = {
  avif: 'AVIF',
  avis: 'AVIF',
  hevc: 'HEIC',
  jxl: 'JXL',
  jp2: 'JP2',
  psd: 'PSD',
  tiff: 'TIFF',
};

/** Three times what 32 MB of JPEG 2000 without loss take. */
const MAX_CPU_SECONDS = 25;

/** Enough for the library itself and the smallest files. */
const MIN_BYTES = 128 * 2 ** 20;

interface MagickOptions {
  /** How many to decode, from the first. */
  frames: number;
  /** As EXIF has it, where the decoder is to turn the pixels. */
  orientation: number | undefined;
  /** The memory that an image of this size may take: the header may be wrong about the size. */
  decodeBytes: number;
}

/**
 * Decodes a file with ImageMagick. The pixels are upright; their colours are those of the file, but for models other than RGB, grey and CMYK,
 * which are converted to sRGB.
 *
 * @throws EdgepressError `source_corrupt` if the image is damaged, `source_too_large`, `overloaded` after a timeout
 */
export function decodeWithMagick(
  bytes: Uint8Array,
  type: ImageType,
  { frames, orientation, decodeBytes }: MagickOptions,
): Promise<DecodedSamples> {
  const format = isCodestream(bytes, type) ? 'J2K' : FORMATS[type];
  if (!format) throw new TypeError(`ImageMagick does not decode ${type}`);
  const limits = { maxBytes: MIN_BYTES + decodeBytes, cpuSeconds: MAX_CPU_SECONDS };
  return runDecoder<DecodedSamples>(MAGICK, { bytes, format, frames, orientation }, type, limits);
}

/**
 * Decodes each tile of a HEIF file by itself.
 *
 * @param tiles - see `tilePatches`
 * @throws EdgepressError `source_corrupt` if a tile is damaged, and those of {@link decodeWithMagick}
 */
export async function checkTilesWithMagick(
  bytes: Uint8Array,
  type: ImageType,
  { tiles, decodeBytes }: { tiles: readonly BytePatch[][]; decodeBytes: number },
): Promise<void> {
  const limits = { maxBytes: MIN_BYTES + decodeBytes, cpuSeconds: MAX_CPU_SECONDS };
  await runDecoder(MAGICK, { bytes, format: FORMATS[type], tiles }, type, limits);
}

/** Whether a JPEG 2000 is a codestream without boxes. */
function isCodestream(bytes: Uint8Array, type: ImageType): boolean {
  return type === 'jp2' && bytes[0] === 0xff;
}
