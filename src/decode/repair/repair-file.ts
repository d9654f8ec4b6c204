import { webpChunks } from '../containers/chunks.ts';
import { corruptError } from '../decode-errors.ts';
import type { ImageType } from '../image-type.ts';
import { repairGif } from './repair-gif.ts';
import { isOddJpeg, repairJpeg, repairJpegScans } from './repair-jpeg.ts';
import { repairPng } from './repair-png.ts';
import { repairTiff } from './repair-tiff.ts';

type RepairOfType = (bytes: Uint8Array, isThorough: boolean) => Uint8Array | Promise<Uint8Array>;

const REPAIRS: Readonly<Partial<Record<ImageType, RepairOfType>>> = {
  jpeg: repairJpeg,
  gif: repairGif,
  webp: repairWebp,
  tiff: repairTiff,
};

/**
 * Repairs the harmless faults of a file: those that leave all pixels as they are, but that decoders warn of. Then every warning of a
 * decoder means that pixels are damaged.
 *
 * @param isThorough - whether to look for damage that takes long to find: true unless somebody waits for the image
 * @returns the same bytes if there is nothing to repair
 * @throws EdgepressError `source_corrupt` for damage that decoders pass over
 */
export async function repairFile(
  bytes: Uint8Array,
  type: ImageType,
  isThorough: boolean,
): Promise<Uint8Array> {
  return (await REPAIRS[type]?.(bytes, isThorough)) ?? bytes;
}

/** A file to decode in place of a rejected one, or the same file if it is only to be decoded with other options. */
export interface Repair {
  bytes: Uint8Array;
  /** Whether warnings of the decoder are no sign of damage. */
  isLenient?: boolean;
}

/**
 * Repairs faults that only show when a decoder has rejected the file, and that take as long as decoding to repair.
 *
 * @returns `undefined` if pixels are missing or damaged, as far as can be told
 * @throws EdgepressError `source_corrupt` if they are known to be
 */
export async function repairRejected(bytes: Uint8Array, type: ImageType): Promise<Repair | undefined> {
  if (type === 'png') {
    const repaired = await repairPng(bytes);
    return repaired && { bytes: repaired };
  }
  if (type !== 'jpeg') return undefined;
  if (await isOddJpeg(bytes)) return { bytes, isLenient: true };
  const repaired = await repairJpegScans(bytes);
  return repaired === bytes ? undefined : { bytes: repaired };
}

/**
 * Corrects the length in the header of a WebP whose chunks are all there, and leaves out what follows them (WebP Container Specification:
 * `File Size` counts all bytes after itself).
 *
 * @returns the same bytes if there is nothing to repair, or if a chunk is cut off
 * @throws EdgepressError `source_corrupt` for an animation with something else between its chunks: libwebp would show the frames before it
 */
function repairWebp(bytes: Uint8Array): Uint8Array {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declaredEnd = 8 + file.readUInt32LE(4);
  let [at, hasFrames] = [12, false];
  for (const { type, dataEnd, end } of webpChunks(bytes)) {
    if (!/^[\x20-\x7e]{4}$/.test(type)) {
      // A much larger length is none: programs that stream write 0xffffffff.
      if (hasFrames && at < declaredEnd && declaredEnd < 2 * file.length)
        throw corruptError('webp', new Error(`no chunk at ${at}`));
      break;
    }
    if (dataEnd > file.length) return bytes;
    hasFrames ||= type === 'ANMF';
    at = end;
  }
  if (at === 12 || 8 + file.readUInt32LE(4) === at) return bytes;
  const repaired = Buffer.alloc(at);
  file.copy(repaired);
  repaired.writeUInt32LE(at - 8, 4);
  return repaired;
}
