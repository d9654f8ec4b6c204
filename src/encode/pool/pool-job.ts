import type { Locks } from '../../locks.ts';
import { EdgepressError } from '../../protocol/error.ts';
import { LARGE_DECODE, PRIORITIES } from '../encode-semaphore.ts';
import type { DecodedImage } from '../encoder.ts';
import {
  type DecodedFacts,
  type DecodeTask,
  type EncoderProcess,
  LargeImage,
  ProcessEnded,
} from './encoder-process.ts';

/** What a job needs of its pool. */
export interface JobContext {
  /** Runs work with a process of its own, once one is free. */
  withProcess<T>(work: (process: EncoderProcess) => Promise<T>): Promise<T>;
  /** Let large images take turns. */
  locks: Locks;
  signal: AbortSignal | undefined;
}

/** A process with the decoded image. */
interface Session {
  process: EncoderProcess;
  decoded: DecodedFacts;
}

/** Its process may end for reasons of others, such as a lack of memory. An image whose processes end this many times is to blame. */
const MAX_ENDED = 2;

/**
 * Decodes an image in a process. If the process ends, the image is decoded again in another one, and what was being encoded is encoded
 * again.
 *
 * @throws EdgepressError of the encoder; `source_too_large` or `source_corrupt` if the image makes processes end; `overloaded`
 * @throws the reason of the signal
 */
export async function decodeInPool(
  task: Omit<DecodeTask, 'mayBeLarge'>,
  { withProcess, locks, signal }: JobContext,
): Promise<DecodedImage> {
  let session: Promise<Session> | undefined;
  let leave = () => {};
  let mayBeLarge = false;
  let endedProcesses = 0;
  let isClosed = false;

  function open(): Promise<Session> {
    return new Promise((resolve, reject) => {
      const left = new Promise<void>((resolveLeft) => {
        leave = resolveLeft;
      });
      const work = (onDecoded = () => {}) =>
        withProcess(async (process) => {
          await process.ready;
          // Nothing waits for the end of a decode that nobody needs: the process is closed.
          const decoded = isClosed
            ? undefined
            : await Promise.race([process.decode({ ...task, mayBeLarge }), left]);
          if (!decoded) throw closedError();
          if (!decoded.isStreamed) onDecoded();
          resolve({ process, decoded });
          await left;
        }).catch(reject);
      if (mayBeLarge) inTurn(work).catch(reject);
      else void work();
    });
  }

  /** A large image has its turn until it is decoded; one that is decoded for each variant, until it is closed. */
  async function inTurn(work: (onDecoded: () => void) => Promise<void>): Promise<void> {
    const priority = PRIORITIES[task.urgency].decode;
    await locks.run(LARGE_DECODE, { limit: 1, priority, signal }, async () => {
      await new Promise<void>((done) => void work(done).then(done));
    });
  }

  /** Works in a process that has decoded the image; in a new one if that is necessary. */
  async function inSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
    for (;;) {
      session ??= open();
      const current = session;
      try {
        const opened = await current;
        // Its process may have another image by now.
        if (isClosed) throw closedError();
        return await work(opened);
      } catch (error) {
        if (current === session) prepareAgain(error);
      }
    }
  }

  /** @throws the error, or what it means, if another process would not help */
  function prepareAgain(error: unknown): void {
    if (error instanceof ProcessEnded) endedProcesses++;
    else if (!(error instanceof LargeImage) || mayBeLarge) throw error;
    else mayBeLarge = true;
    if (error instanceof ProcessEnded && (endedProcesses >= MAX_ENDED || isFinal(error)))
      throw explain(error);
    leave();
    session = undefined;
  }

  function close(): void {
    isClosed = true;
    leave();
    signal?.removeEventListener('abort', close);
  }

  signal?.throwIfAborted();
  signal?.addEventListener('abort', close);
  try {
    const { decoded } = await orAborted(
      inSession(async (opened) => opened),
      signal,
    );
    return {
      facts: decoded.facts,
      isStreamed: decoded.isStreamed,
      encode: (request) =>
        orAborted(
          inSession(({ process }) => process.encode(request)),
          signal,
        ),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function closedError(): TypeError {
  return new TypeError('the image is closed');
}

/** Whether another process would not change why one ended. */
function isFinal({ reason }: ProcessEnded): boolean {
  return reason !== 'crash' && reason !== 'start';
}

/** The signals of programs that end themselves, which they do when they get no more memory. */
const OUT_OF_MEMORY: readonly (NodeJS.Signals | undefined)[] = ['SIGABRT', 'SIGTRAP'];

/** Returns what a user is told of a process that ended. */
function explain(ended: ProcessEnded): Error {
  const { reason, signal } = ended;
  const options = { cause: ended };
  if (reason === 'time')
    return new EdgepressError(
      'source_too_large',
      'The image takes too much CPU time to decode or encode',
      options,
    );
  if (reason === 'crash' && OUT_OF_MEMORY.includes(signal))
    return new EdgepressError(
      'source_too_large',
      'The image takes too much memory to decode or encode',
      options,
    );
  if (reason === 'crash' && signal !== 'SIGKILL')
    return new EdgepressError(
      'source_corrupt',
      `The image is damaged: it ends its decoder (${signal ?? 'by itself'})`,
      options,
    );
  const detail = 'The machine has too little CPU time or memory for this image: try again later';
  return new EdgepressError('overloaded', detail, { ...options, retryable: true, retryAfterSeconds: 60 });
}

/** Resolves or rejects as the work does, or rejects with the reason of the signal as soon as it aborts. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  return await new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
