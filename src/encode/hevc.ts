import { Worker } from 'node:worker_threads';
import { corrupt, DECODE_TIMEOUT_SECONDS, endless } from './decode-failure.ts';
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
