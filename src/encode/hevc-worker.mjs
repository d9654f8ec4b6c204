// Decodes one HEIC image. Plain JavaScript, since a worker thread loads it as it stands, whatever runs the rest. A
// thread of its own, since twelve megapixels take seconds; and one for each image, since WebAssembly memory never shrinks.
import { parentPort, workerData } from 'node:worker_threads';
import libheif from 'libheif-js/wasm-bundle.js';

/** What the image is to blame for is an answer. What we are to blame for, such as a decoder that is missing, is an error. */
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
