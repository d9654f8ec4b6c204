// The worker thread of hevc.ts, which decodes one HEIC image. Plain JavaScript, since a worker loads the file as it is, without a
// TypeScript loader. A thread, since twelve megapixels take seconds; and one per image, since WebAssembly memory never shrinks.
import { parentPort, workerData } from 'node:worker_threads';
import libheif from 'libheif-js/wasm-bundle.js';

/** Reports that the image is damaged. A missing decoder is not the fault of the image: its import throws, which ends the thread. */
function fail(failure) {
  parentPort.postMessage({ failure: String(failure) });
}

try {
  const images = new libheif.HeifDecoder().decode(workerData);
  const image = images.find((candidate) => candidate.is_primary()) ?? images[0];
  if (!image) throw new Error('no image in the HEIF file');
  const width = image.get_width();
  const height = image.get_height();
  image.display({ data: new Uint8ClampedArray(width * height * 4), width, height }, (decoded) => {
    if (!decoded) return fail('the HEIF image does not decode');
    const data = new Uint8Array(decoded.data.buffer);
    parentPort.postMessage({ data, width, height, hasAlpha: image.has_alpha_channel() }, [data.buffer]);
  });
} catch (error) {
  fail(error);
}
