// Scores pictures. Plain JavaScript, since a worker thread loads it as it stands, whatever runs the rest; a thread, since each
// score takes tens of milliseconds in which nothing else would be answered. An original has an instance of its own, whose memory goes with it.
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

const program = new WebAssembly.Module(readFileSync(new URL('./ssimulacra2.wasm', import.meta.url)));
const originals = new Map();

function open({ data, width, height }) {
  const { exports } = new WebAssembly.Instance(program, { env: { abort } });
  const at = exports.open(width, height);
  // Memory may have grown since: a view of it does not outlive a call.
  const take = (pixels) => new Uint8Array(exports.memory.buffer, at, width * height * 3).set(pixels);
  take(data);
  exports.setOriginal();
  return (pixels) => {
    take(pixels);
    return exports.score();
  };
}

function abort() {
  throw new RangeError('the picture does not fit into the memory of the metric');
}

function answer({ kind, original, image }) {
  if (kind === 'close') return void originals.delete(original);
  if (kind === 'score') return originals.get(original)(image.data);
  originals.set(original, open(image));
  return undefined;
}

parentPort.on('message', (request) => {
  try {
    parentPort.postMessage({ id: request.id, result: answer(request) });
  } catch (error) {
    parentPort.postMessage({ id: request.id, error });
  }
});
