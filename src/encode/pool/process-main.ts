import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { isOutOfMemory } from '../../decode/decode-errors.ts';
import { createLocks } from '../../locks.ts';
import { EdgepressError } from '../../protocol/error.ts';
import { LARGE_DECODE } from '../encode-semaphore.ts';
import type { DecodedImage, Encoder } from '../encoder.ts';
import { createFrameReader, writeFrame } from './frames.ts';
import { type PoolMessage, type PoolRequest, type PoolResponse, toSentError } from './messages.ts';
import { SERVER_FD } from './spawn-program.ts';

// The program of an encoder process: it decodes and encodes for the server that started it, one image at a time.
//
// Arguments: the number of concurrent encodes, and the limit of pixels.

const PIECE_BYTES = 256 * 1024;

// The server says when to end: it finishes the work in flight when a signal comes, which a terminal or systemd sends to every process.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

const [concurrency, maxPixels] = process.argv.slice(2).map(Number);
if (!concurrency || !maxPixels) throw new TypeError('expected arguments: concurrency, limit of pixels');

/** Whether the image may take the memory or the time of a large one. */
let mayBeLarge = false;
/** Whether it needed to, and might not. */
let wasTooLarge = false;
const ownLocks = createLocks();
const { createSharpEncoder } = await import('../sharp-encoder.ts');
const encoder: Encoder = createSharpEncoder({
  concurrency,
  maxPixels,
  locks: {
    async run(name, ...rest) {
      wasTooLarge ||= name === LARGE_DECODE && !mayBeLarge;
      if (wasTooLarge) throw new Error('large images take turns');
      return await ownLocks.run(name, ...rest);
    },
  },
});

let image: DecodedImage | undefined;

async function answer(request: PoolRequest, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const id = request.kind === 'encode' ? request.id : undefined;
  try {
    if (request.kind === 'close') forget();
    else if (request.kind === 'encode') await encode(request);
    else await decode(request, bytes);
  } catch (error) {
    send(wasTooLarge ? { kind: 'large', id } : { kind: 'failed', id, error: toSentError(explain(error)) });
  }
}

/** This process has a limit of its own, twice what any image takes: one that reaches it is to blame, not the machine. */
function explain(error: unknown): unknown {
  if (!isOutOfMemory(error)) return error;
  const detail = 'The image takes too much memory to decode or encode';
  return new EdgepressError('source_too_large', detail, { cause: error });
}

function forget(): void {
  image?.close();
  image = undefined;
  // Pixels lie outside of V8's heap, which would collect them after some ten images only. Collecting what is young takes half a millisecond.
  setImmediate(() => globalThis.gc?.({ type: 'minor' }));
}

async function decode(
  request: PoolRequest & { kind: 'decode' },
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  mayBeLarge = request.mayBeLarge;
  wasTooLarge = false;
  image = await encoder.decode(bytes, request.maxWidth, request.urgency);
  send({ kind: 'decoded', facts: image.facts, isStreamed: image.isStreamed });
}

async function encode({ id, request }: PoolRequest & { kind: 'encode' }): Promise<void> {
  if (!image) throw new TypeError('encode came without an image');
  const { body, ...rest } = await image.encode(request);
  send({ kind: 'encoded', id, image: rest }, body);
}

function send(response: PoolResponse, bytes?: Uint8Array): void {
  writeFrame(server, { ...response, memory: process.memoryUsage.rss() } satisfies PoolMessage, bytes);
}

const readFrames = createFrameReader<PoolRequest>((request, bytes) => void answer(request, bytes));
/** The types of Node lack `onread` here. */
const options: SocketConstructorOpts & { onread: OnReadOpts } = {
  fd: SERVER_FD,
  // One buffer for all that arrives: without it, each piece of an original would be allocated.
  onread: {
    buffer: Buffer.allocUnsafe(PIECE_BYTES),
    callback(length, buffer) {
      readFrames(buffer.subarray(0, length));
      return true;
    },
  },
};
const server = new Socket(options);
// The server has ended, whatever is being decoded now: a usual exit would wait for it.
server.on('close', () => process.kill(process.pid, 'SIGKILL'));
server.on('error', () => server.destroy());
send({ kind: 'ready' });
