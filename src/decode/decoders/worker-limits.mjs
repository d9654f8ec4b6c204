// What the worker threads of decoders in WebAssembly share.
import { parentPort } from 'node:worker_threads';

const PAGE_BYTES = 65_536;

/**
 * Makes all WebAssembly memory of this thread refuse to grow beyond a limit: its maximum is compiled into a module, and is gigabytes.
 *
 * @returns whether it was refused since, which is then the likely reason of a failure
 */
export function limitWasmMemory(maxBytes) {
  const state = { isExhausted: false };
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function growWithinLimit(pages) {
    if (this.buffer.byteLength + pages * PAGE_BYTES > maxBytes) {
      state.isExhausted = true;
      throw new RangeError('the limit of memory is reached');
    }
    return grow.call(this, pages);
  };
  return state;
}

/** Tells the main thread why a file cannot be decoded. A decoder that is missing is not the file's fault: its import throws. */
export function reportFailure(error, { isExhausted }, reason = 'damaged') {
  parentPort.postMessage({
    failure: String(error?.message ?? error),
    reason: isExhausted ? 'memory' : reason,
  });
}
