// The worker thread of metric.ts. Plain JavaScript, since a worker loads the file as it is, without a TypeScript loader. A thread, since
// each score blocks for tens of milliseconds. Each reference has its own WebAssembly instance, whose memory is freed with it.
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

const module = new WebAssembly.Module(readFileSync(new URL('./ssimulacra2.wasm', import.meta.url)));
/** The scoring function of each open reference, by its number. */
const references = new Map();

function openReference({ data, width, height }) {
  const { exports } = new WebAssembly.Instance(module, { env: { abort } });
  const at = exports.open(width, height);
  // A new view for each write: the memory may have grown since the last call, which detaches older views.
  const write = (pixels) => new Uint8Array(exports.memory.buffer, at, width * height * 3).set(pixels);
  write(data);
  exports.setOriginal();
  return (pixels) => {
    write(pixels);
    return exports.score();
  };
}

function abort() {
  throw new RangeError('the image does not fit into the memory of the metric');
}

function handle({ kind, reference, image }) {
  if (kind === 'close') return void references.delete(reference);
  if (kind === 'score') return references.get(reference)(image.data);
  references.set(reference, openReference(image));
  return undefined;
}

parentPort.on('message', (request) => {
  try {
    parentPort.postMessage({ id: request.id, result: handle(request) });
  } catch (error) {
    parentPort.postMessage({ id: request.id, error });
  }
});
