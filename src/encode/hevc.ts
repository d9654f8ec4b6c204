import { Worker } from 'node:worker_threads';
import type { RgbaPixels } from './tiff.ts';

/** HEVC's pixels, upright: libheif applies the rotation that the file asks for. */
export interface HevcPixels extends RgbaPixels {
  hasAlpha: boolean;
}

/** The decoder writes its complaints to the console, where they would stand between log lines. */
const QUIET = { stdout: true, stderr: true };

/**
 * Decodes a HEIC image in a thread of its own, which loads the decoder and ends with it.
 *
 * @throws Error when the image is damaged
 */
export function decodeHevc(bytes: Uint8Array): Promise<HevcPixels> {
  return new Promise((resolve, reject) => {
    // Without execArgv the thread would load the loaders of the main program once more.
    const worker = new Worker(new URL('./hevc-worker.mjs', import.meta.url), {
      ...QUIET,
      workerData: bytes,
      execArgv: [],
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the HEIC decoder ended with ${code} and no picture`)));
  });
}
