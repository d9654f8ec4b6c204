import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { EdgepressError } from '../../protocol/error.ts';
import { corruptError, timeoutError } from '../decode-errors.ts';
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
  seconds: number;
  /** Whether a file that takes longer is to blame, rather than the load of the machine. */
  isSlownessFinal: boolean;
}

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
 * @throws EdgepressError `source_corrupt`, `source_not_image` or `source_too_large` as the script reports; `overloaded` after a timeout
 * @throws Error if the decoder itself fails, for example because it is missing
 */
export async function runDecoder<Result extends object>(
  { script, wasm }: ThreadedDecoder,
  task: object,
  type: ImageType,
  { maxBytes, seconds, isSlownessFinal }: DecoderLimits,
): Promise<Result> {
  const module = await compiled(wasm);
  return await new Promise((resolve, reject) => {
    const workerData = { ...task, module, maxBytes };
    const worker = new Worker(script, { ...THREAD_OPTIONS, workerData });
    const timer = setTimeout(() => {
      reject(isSlownessFinal ? slowError(type, seconds) : timeoutError(type));
      worker.terminate();
    }, seconds * 1000);
    worker.once('message', (message: Result | DecoderFailure) => {
      if ('failure' in message) reject(failureError(message, type));
      else resolve(message);
      worker.terminate();
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the ${type} decoder exited with code ${code} without a result`));
    });
  });
}

function slowError(type: ImageType, seconds: number): EdgepressError {
  return new EdgepressError(
    'source_too_large',
    `The ${type} image takes more than ${seconds} seconds to decode`,
  );
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
