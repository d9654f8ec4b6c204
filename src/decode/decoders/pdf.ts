import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import type { DecodedPixels } from '../image-type.ts';
import { type Size, scaled, scaleInside } from '../size.ts';
import { runDecoder, type ThreadedDecoder } from './decoder-thread.ts';

/** PDFium in WebAssembly (BSD-3-Clause and Apache-2.0, packaged under MIT). */
const PDFIUM: ThreadedDecoder = {
  script: new URL('./pdfium-worker.mjs', import.meta.url),
  wasm: '@embedpdf/pdfium/pdfium.wasm',
};

/**
 * A page takes 10 to 120 MiB and less than a second, pictures of 100 megapixels on it some seconds; a page of nested or endless drawings
 * would take all that there is.
 */
const LIMITS = { maxBytes: 256 * 2 ** 20, cpuSeconds: 10 };

/** A page has no pixels of its own. 200 dots an inch is what a fax of the best quality and most office scanners have. */
const DOTS_PER_INCH = 200;
const POINTS_PER_INCH = 72;
/** Small pages, such as those of cards, are rendered wider. */
const MIN_WIDTH = 1080;
/** The top rung of the width ladder, and twice an upright page of that width: no page, however long, takes more. */
const MAX_SIZE: Size = { width: 2048, height: 8192 };

/** A page is measured before its source waits for a permit, and to measure it is to parse it: many at once would exhaust the memory. */
const measurements = new PQueue({ concurrency: availableParallelism() });

/**
 * Measures the first page of a PDF.
 *
 * @returns the size at which it is rendered, in pixels
 * @throws EdgepressError `source_not_image` if it needs a password, `source_corrupt`, `source_too_large`, `overloaded` after a timeout
 */
export async function readPdfSize(bytes: Uint8Array): Promise<Size> {
  const points = await measurements.add(() => runDecoder<Size>(PDFIUM, { bytes }, 'pdf', LIMITS));
  const natural = (points.width * DOTS_PER_INCH) / POINTS_PER_INCH;
  const scale = Math.max(natural, MIN_WIDTH) / points.width;
  const wanted = { width: points.width * scale, height: points.height * scale };
  return scaled(wanted, scaleInside(wanted, MAX_SIZE));
}

/** Renders the first page of a PDF on white, with annotations and what is filled into its form; scripts do not run. */
export function renderPdf(bytes: Uint8Array, { width, height }: Size): Promise<DecodedPixels> {
  return runDecoder<DecodedPixels>(PDFIUM, { bytes, size: { width, height } }, 'pdf', LIMITS);
}
