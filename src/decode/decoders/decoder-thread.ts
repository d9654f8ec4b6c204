import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { EdgepressError } from '../../protocol/error.ts';
import { corruptError, cpuSeconds, slowError, timeoutError } from '../decode-errors.ts';
import type { ImageType } from '../image-type.ts';

/** A decoder in WebAssembly, and the script of the worker thread that runs it. */
export interface ThreadedDecoder {
  script: URL;
  /** The module, as a path of a package. */
  wasm: string;
}

/** What a decoder may take for one file. */
export interface DecoderLimits {
  maxBytes: number;
  /** CPU time, of all that the process does meanwhile: in a process of the encoder pool, that is this file alone. */
  cpuSeconds: number;
}

/** A decoder that takes so many times its CPU time is given up: the machine has no time for it, and the file is not to blame. */
const MAX_STRETCH = 4;
const CHECK_MS = 500;

/** What went wrong, as a worker thread reports it: damage, a kind of file that is not supported, or too little memory. */
export interface DecoderFailure {
  failure: string;
  reason: 'damaged' | 'unsupported' | 'memory';
}

/** Keeps the decoder's console output out of the log. An empty execArgv keeps the thread from loading module loaders again. */
const THREAD_OPTIONS = { stdout: true, stderr: true, execArgv: [] };

/** The types of Node do not have it. */
declare const WebAssembly: { compile(code: Uint8Array): Promise<object> };

const packages = createRequire(import.meta.url);
const modules = new Map<string, Promise<object>>();

/** Compiles a module once in the life of the process; threads share the code. */
function compiled(wasm: string): Promise<object> {
  const known = modules.get(wasm);
  if (known) return known;
  const compiling = readFile(packages.resolve(wasm)).then((code) => WebAssembly.compile(code));
  modules.set(wasm, compiling);
  compiling.catch(() => modules.delete(wasm));
  return compiling;
}

/**
 * Runs a decoder for one file in a worker thread of its own, since WebAssembly memory never shrinks and decoding blocks for seconds.
 *
 * @param task - passed to the script with `module` and `maxBytes`
 * @param type - for messages
 * @returns what the script posts
 * @throws EdgepressError `source_corrupt`, `source_not_image` or `source_too_large` as the script reports; `source_too_large` if it takes too
 * much CPU time, `overloaded` if it waits for CPU time for too long
 * @throws Error if the decoder itself fails, for example because it is missing
 */
export async function runDecoder<Result extends object>(
  { script, wasm }: ThreadedDecoder,
  task: object,
  type: ImageType,
  { maxBytes, cpuSeconds: maxSeconds }: DecoderLimits,
): Promise<Result> {
  const module = await compiled(wasm);
  return await new Promise((resolve, reject) => {
    const workerData = { ...task, module, maxBytes };
    const worker = new Worker(script, { ...THREAD_OPTIONS, workerData });
    const [startedCpu, startedMs] = [process.cpuUsage(), performance.now()];
    const timer = setInterval(() => {
      const isSlow = cpuSeconds(startedCpu) >= maxSeconds;
      if (!isSlow && performance.now() - startedMs < MAX_STRETCH * maxSeconds * 1000) return;
      reject(isSlow ? slowError(type, maxSeconds) : timeoutError(type));
      worker.terminate();
    }, CHECK_MS);
    worker.once('message', (message: Result | DecoderFailure) => {
      if ('failure' in message) reject(failureError(message, type));
      else resolve(message);
      worker.terminate();
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      clearInterval(timer);
      reject(new Error(`the ${type} decoder exited with code ${code} without a result`));
    });
  });
}

function failureError({ failure, reason }: DecoderFailure, type: ImageType): EdgepressError {
  const cause = new Error(failure);
  if (reason === 'unsupported')
    return new EdgepressError('source_not_image', `The ${type} file is not supported: ${failure}`, { cause });
  if (reason === 'memory')
    return new EdgepressError('source_too_large', `The ${type} image takes too much memory to decode`, {
      cause,
    });
  return corruptError(type, cause);
}
