import { Worker } from 'node:worker_threads';
import { corruptError, DECODE_TIMEOUT_SECONDS, timeoutError } from './decode-errors.ts';
import type { RgbaPixels } from './wrap-in-tiff.ts';

/** The decoded pixels of a HEIC image. They are upright: libheif applies the rotation that the file specifies. */
export interface HevcPixels extends RgbaPixels {
  hasAlpha: boolean;
}

/** Keeps the decoder's console output out of the log. */
const QUIET = { stdout: true, stderr: true };

/**
 * Decodes a HEIC image in a worker thread that serves this one image.
 *
 * @throws EdgepressError `source_corrupt` if the image is damaged, `overloaded` after a timeout
 * @throws Error if the decoder itself fails, for example because it is missing
 */
export function decodeHevc(bytes: Uint8Array): Promise<HevcPixels> {
  return new Promise((resolve, reject) => {
    // An empty execArgv keeps the thread from loading the module loaders of the main program again.
    const options = { ...QUIET, workerData: bytes, execArgv: [] };
    const worker = new Worker(new URL('./hevc-worker.mjs', import.meta.url), options);
    const timer = setTimeout(() => {
      reject(timeoutError('hevc'));
      worker.terminate();
    }, DECODE_TIMEOUT_SECONDS * 1000);
    worker.once('message', (message: HevcPixels | { failure: string }) => {
      if ('failure' in message) reject(corruptError('hevc', new Error(message.failure)));
      else resolve(message);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the HEIC decoder exited with code ${code} without a result`));
    });
  });
}
