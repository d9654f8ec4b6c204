// The worker thread of metric.ts. Plain JavaScript, since a worker loads the file as it is, without a TypeScript loader. A thread, since
// each score blocks for tens of milliseconds. Each open reference has its own WebAssembly instance.
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

const module = new WebAssembly.Module(readFileSync(new URL('./ssimulacra2.wasm', import.meta.url)));

/**
 * The first use of new memory costs the kernel three times what opening a reference computes, so an instance is kept for the next reference,
 * unless it is large, or nothing is opened for a while.
 */
const MAX_KEPT_BYTES = 100e6;
const KEPT_MS = 2000;

/** The instance and the size of each open reference, by its number. */
const references = new Map();
/** The exports of the instance that is kept. */
let kept;
let release;

function openReference({ data, width, height }) {
  const exports = kept ?? new WebAssembly.Instance(module, { env: { abort } }).exports;
  kept = undefined;
  const reference = { exports, at: exports.open(width, height) };
  write(reference, data);
  exports.setOriginal();
  return reference;
}

/** Makes a view for each write: the memory may have grown since the last call, which detaches older views. */
function write({ exports, at }, pixels) {
  new Uint8Array(exports.memory.buffer, at, pixels.byteLength).set(pixels);
}

function score(reference, { data }) {
  write(reference, data);
  return reference.exports.score();
}

/** Keeps the larger of two instances that are not in use: it has the memory for more references. */
function keep({ exports }) {
  const bytes = exports.memory.buffer.byteLength;
  if (bytes > MAX_KEPT_BYTES || bytes <= (kept?.memory.buffer.byteLength ?? 0)) return;
  kept = exports;
  clearTimeout(release);
  release = setTimeout(() => {
    kept = undefined;
  }, KEPT_MS);
}

function abort() {
  throw new RangeError('the image does not fit into the memory of the metric');
}

function handle({ kind, reference, image }) {
  const open = references.get(reference);
  if (kind === 'open') references.set(reference, openReference(image));
  if (kind === 'score') return score(open, image);
  if (kind === 'close' && references.delete(reference)) keep(open);
  return undefined;
}

parentPort.on('message', (request) => {
  try {
    parentPort.postMessage({ id: request.id, result: handle(request) });
  } catch (error) {
    parentPort.postMessage({ id: request.id, error });
  }
});
