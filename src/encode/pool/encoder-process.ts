import type { EncodedImage, EncodeRequest, Urgency } from '../encoder.ts';
import { createFrameReader, writeFrame } from './frames.ts';
import { fromSentError, type PoolMessage, type PoolRequest, type PoolResponse } from './messages.ts';
import { type Program, type ProgramOptions, spawnProgram } from './spawn-program.ts';
import type { Excess } from './step-limit.ts';
import { createSteps } from './steps.ts';

/** What to decode. */
export interface DecodeTask {
  bytes: Uint8Array;
  maxWidth: number;
  urgency: Urgency;
  /** Whether it may take the memory or the time of a large image. */
  mayBeLarge: boolean;
}

export type DecodedFacts = Omit<PoolResponse & { kind: 'decoded' }, 'kind'>;

/** A process that decodes and encodes, one image at a time. */
export interface EncoderProcess {
  /** Resolves when it has started. Rejects with ProcessEnded. */
  readonly ready: Promise<void>;
  /**
   * Decodes an image, which replaces the one before.
   *
   * @throws ProcessEnded
   * @throws LargeImage if the image is large and the task does not allow that
   * @throws the error of the encoder
   */
  decode(task: DecodeTask): Promise<DecodedFacts>;
  /** Encodes the image that was decoded. Several may run concurrently. Throws as `decode` does. */
  encode(request: EncodeRequest): Promise<EncodedImage>;
  /** Forgets the image. Resolves when nothing of it is being worked on; what takes long is given up with its process. */
  close(): Promise<void>;
  /** What it held when it last answered, in bytes. */
  readonly memory: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<ProcessEnded>;
  /** Ends the process. What is being worked on fails. */
  end(): void;
}

/**
 * Why a process ended: it was not needed any more, the machine could not start one, it ended while it started, or it crashed; or a step of
 * its work was given up.
 */
export type EndReason = 'closed' | 'spawn' | 'start' | 'crash' | Excess;

/** The process in which something was to be done has ended. */
export class ProcessEnded extends Error {
  override readonly name = 'ProcessEnded';
  readonly reason: EndReason;
  /** The signal that ended it; `undefined` if it exited. */
  readonly signal: NodeJS.Signals | undefined;

  constructor(reason: EndReason, signal?: NodeJS.Signals, cause?: unknown) {
    super(`an encoder process ended (${reason}${signal ? `, ${signal}` : ''})`, { cause });
    this.reason = reason;
    this.signal = signal;
  }
}

/** The image takes the memory or the time of a large one, and its task does not allow that. */
export class LargeImage extends Error {
  override readonly name = 'LargeImage';
}

/** The CPU time that one step may take, in seconds: longer than any image within the limits takes on a slow machine. */
const MAX_CPU_SECONDS = { start: 30, decode: 30, fast: 30, best: 120 };
/** Work that is not needed any more may go on for this long. Most is done sooner than a new process would have started. */
const ABANDONED_MS = 2000;

/** What identifies a step: the id of an encode, or its kind. */
type StepKey = number | 'start' | 'decode';

/**
 * Starts a process. It does not keep this one alive unless it has work to do.
 *
 * @throws ProcessEnded if the machine has no memory for it
 */
export function startEncoderProcess(options: ProgramOptions): EncoderProcess {
  const { child, socket, cpuSeconds } = spawnOrEnd(options);
  let endReason: EndReason = child.pid === undefined ? 'spawn' : 'start';
  let end: ProcessEnded | undefined;
  let memory = 0;
  let lastId = 0;
  let onEnd: (end: ProcessEnded) => void = () => {};
  const ended = new Promise<ProcessEnded>((resolve) => {
    onEnd = resolve;
  });
  const steps = createSteps<StepKey>({
    cpuSeconds,
    onBusy(isBusy) {
      for (const handle of [child, socket]) isBusy ? handle.ref() : handle.unref();
    },
    onExcess: (excess) => kill(endReason === 'start' ? 'start' : excess),
  });

  function kill(reason: EndReason): void {
    endReason = reason;
    child.kill('SIGKILL');
  }

  function finish(signal: NodeJS.Signals | null, cause?: Error): void {
    if (end) return;
    end = new ProcessEnded(endReason, signal ?? undefined, cause);
    socket.destroy();
    steps.rejectAll(end);
    onEnd(end);
  }

  function receive(response: PoolMessage, body: Uint8Array<ArrayBuffer>): void {
    memory = response.memory;
    switch (response.kind) {
      case 'ready':
        endReason = 'crash';
        steps.resolve('start', undefined);
        break;
      case 'decoded':
        steps.resolve('decode', response);
        break;
      case 'encoded':
        steps.resolve(response.id, { ...response.image, body });
        break;
      case 'failed':
        steps.reject(response.id ?? 'decode', fromSentError(response.error));
        break;
      case 'large':
        steps.reject(response.id ?? 'decode', new LargeImage());
        break;
    }
  }

  /** Sends a request, and returns what it is answered with. */
  async function ask<Result>(
    key: StepKey,
    maxCpuSeconds: number,
    request: PoolRequest,
    bytes?: Uint8Array,
  ): Promise<Result> {
    if (end) throw end;
    const step = steps.add<Result>(key, maxCpuSeconds * options.concurrency);
    writeFrame(socket, request, bytes);
    return await step;
  }

  child.on('error', (cause) => finish(null, cause));
  child.on('exit', (_code, signal) => finish(signal));
  socket.on('data', createFrameReader(receive));
  // The end of the process is what counts.
  socket.on('error', () => {});
  const ready = steps.add<void>('start', MAX_CPU_SECONDS.start);
  ready.catch(() => {});

  return {
    ready,
    ended,
    async decode({ bytes, ...task }) {
      await ready;
      return await ask('decode', MAX_CPU_SECONDS.decode, { kind: 'decode', ...task }, bytes);
    },
    async encode(request) {
      const id = ++lastId;
      return await ask(id, MAX_CPU_SECONDS[request.effort], { kind: 'encode', id, request });
    },
    async close() {
      const timer = setTimeout(() => kill('closed'), ABANDONED_MS);
      await steps.idle();
      clearTimeout(timer);
      if (!end) writeFrame(socket, { kind: 'close' } satisfies PoolRequest);
    },
    get memory() {
      return memory;
    },
    end() {
      // Who ends it may wait for that.
      if (!end) child.ref();
      kill('closed');
    },
  };
}

function spawnOrEnd(options: ProgramOptions): Program {
  try {
    return spawnProgram(options);
  } catch (cause) {
    throw new ProcessEnded('spawn', undefined, cause);
  }
}
