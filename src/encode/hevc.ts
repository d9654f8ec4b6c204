import { Worker } from 'node:worker_threads';
import { corrupt, DECODE_TIMEOUT_SECONDS, endless } from './decode-failure.ts';

/** HEVC's pixels, upright: libheif applies the rotation that the file asks for. */
export interface HevcPixels extends RgbaPixels {
  hasAlpha: boolean;
}

/** The decoder writes its complaints to the console, where they would stand between log lines. */
const QUIET = { stdout: true, stderr: true };

/**
 * Decodes a HEIC image in a thread of its own, which loads the decoder and ends with it.
 *
 * @throws EdgepressError `source_corrupt` when the image is damaged, `overloaded` when it takes too long
 */
export function decodeHevc(bytes: Uint8Array): Promise<HevcPixels> {
  return new Promise((resolve, reject) => {
    // Without execArgv the thread would load the loaders of the main program once more.
    const options = { ...QUIET, workerData: bytes, execArgv: [] };
    const worker = new Worker(new URL('./hevc-worker.mjs', import.meta.url), options);
    const late = setTimeout(() => {
      reject(endless('hevc'));
      worker.terminate();
    }, DECODE_TIMEOUT_SECONDS * 1000);
    worker.once('message', (answer: HevcPixels | { failure: string }) => {
      if ('failure' in answer) reject(corrupt('hevc', new Error(answer.failure)));
      else resolve(answer);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`the HEIC decoder ended with ${code} and no answer`));
    });
  });
}

/** Pixels as libheif gives them: 8-bit RGBA, rows from top to bottom. */
export interface RgbaPixels {
  data: Uint8Array;
  width: number;
  height: number;
}

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;
const CHANNELS = 4;
/** Rows are kept in strips, so that a reader can stream them instead of holding one strip that is the whole picture. */
const ROWS_PER_STRIP = 64;

/**
 * Wraps pixels in an uncompressed TIFF (revision 6.0) that carries their ICC profile: the one container that costs no
 * encoding and tells libvips which colours the numbers stand for.
 */
export function wrapInTiff({ data, width, height }: RgbaPixels, iccProfile: Uint8Array): Buffer {
  const stripBytes = ROWS_PER_STRIP * width * CHANNELS;
  const strips = Math.ceil(height / ROWS_PER_STRIP);
  const entries = 11;
  const bitsAt = 8 + 2 + entries * 12 + 4;
  const offsetsAt = bitsAt + 2 * CHANNELS;
  const countsAt = offsetsAt + 4 * strips;
  const profileAt = countsAt + 4 * strips;
  const pixelsAt = profileAt + iccProfile.byteLength;

  const header = Buffer.alloc(pixelsAt);
  let at = header.write('II*\0', 'latin1');
  at = header.writeUInt32LE(8, at);
  at = header.writeUInt16LE(entries, at);
  const entry = (tag: number, type: number, count: number, value: number) => {
    at = header.writeUInt16LE(tag, at);
    at = header.writeUInt16LE(type, at);
    at = header.writeUInt32LE(count, at);
    at = header.writeUInt32LE(value, at);
  };
  // One strip's offset and length stand in the entry itself; of more, the entry says where they are.
  const single = strips === 1;
  entry(256, LONG, 1, width); // ImageWidth
  entry(257, LONG, 1, height); // ImageLength
  entry(258, SHORT, CHANNELS, bitsAt); // BitsPerSample
  entry(259, SHORT, 1, 1); // Compression: none
  entry(262, SHORT, 1, 2); // PhotometricInterpretation: RGB
  entry(273, LONG, strips, single ? pixelsAt : offsetsAt); // StripOffsets
  entry(277, SHORT, 1, CHANNELS); // SamplesPerPixel
  entry(278, LONG, 1, ROWS_PER_STRIP); // RowsPerStrip
  entry(279, LONG, strips, single ? data.byteLength : countsAt); // StripByteCounts
  entry(338, SHORT, 1, 2); // ExtraSamples: alpha that is not premultiplied
  entry(34675, UNDEFINED, iccProfile.byteLength, profileAt); // InterColorProfile
  for (let channel = 0; channel < CHANNELS; channel++) header.writeUInt16LE(8, bitsAt + 2 * channel);
  for (let strip = 0; strip < strips; strip++) {
    const start = strip * stripBytes;
    header.writeUInt32LE(pixelsAt + start, offsetsAt + 4 * strip);
    header.writeUInt32LE(Math.min(stripBytes, data.byteLength - start), countsAt + 4 * strip);
  }
  header.set(iccProfile, profileAt);
  return Buffer.concat([header, data]);
}
