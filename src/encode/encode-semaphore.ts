import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { createLocks, type Locks } from '../locks.ts';
import type { Urgency } from './encoder.ts';

/** What a permit is for. */
export interface PermitRequest {
  kind: 'decode' | 'encode';
  urgency: Urgency;
  /** An estimate of the memory that decoding takes as part of this work, in bytes; 0 if it decodes nothing. */
  decodeBytes: number;
  /** Whether it may take many seconds. Default: `false`. */
  isSlow?: boolean;
  /** Ends the wait for the permit, not the work. */
  signal?: AbortSignal | undefined;
}

/**
 * Bounds how many decodes and encodes run concurrently. Waiting work runs by priority, then in the order of arrival. Viewers' work does not
 * wait for that of prewarm which is running, since it may take seconds; prewarm leaves a permit free for them.
 */
export interface EncodeSemaphore {
  /**
   * Acquires a permit, runs the work and releases the permit.
   *
   * @returns what the work returns
   * @throws what the work throws; or the reason of the signal, if it aborts before the work has begun
   */
  runWithPermit<T>(request: PermitRequest, work: () => Promise<T>): Promise<T>;
}

/** {@link EncodeSemaphore.runWithPermit} for one kind of request. */
export type RunWithPermit = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Higher runs first. A viewer's work goes before prewarm's, since a viewer waits in front of an empty frame. An encode goes before a decode: it
 * frees memory, since decoded pixels wait for it.
 */
export const PRIORITIES: Readonly<Record<Urgency, Readonly<Record<PermitRequest['kind'], number>>>> = {
  viewer: { encode: 3, decode: 2 },
  prewarm: { encode: 1, decode: 0 },
};

/** The lock that lets large decodes take turns. */
export const LARGE_DECODE = 'large decode';

/**
 * A decode that may take more memory than this is large. Large and slow decodes run one at a time: half a dozen large ones would exhaust
 * the memory, and slow ones would take every permit from those that wait for quick ones.
 */
const LARGE_DECODE_BYTES = 300_000_000;

/**
 * @param concurrency - the number of permits
 * @param locks - hold the permits, of all processes of this server together
 */
export function createEncodeSemaphore(concurrency: number, locks: Locks = createLocks()): EncodeSemaphore {
  function runAsOne<T>(
    { urgency, kind, signal }: Pick<PermitRequest, 'urgency' | 'kind' | 'signal'>,
    work: () => Promise<T>,
  ): Promise<T> {
    const priority = PRIORITIES[urgency][kind];
    const permit = { limit: concurrency, priority, yields: urgency === 'prewarm', signal };
    return new Promise((resolve, reject) => {
      const run = async () => {
        await work().then(resolve, reject);
        // Lets the caller queue the encodes of what was just decoded before the permit goes to another decode.
        await yieldToEventLoop();
      };
      locks.run('encode', permit, run).catch(reject);
    });
  }

  return {
    runWithPermit(request, work) {
      const { kind, urgency, decodeBytes, isSlow = false, signal } = request;
      if (decodeBytes <= LARGE_DECODE_BYTES && !isSlow) return runAsOne(request, work);
      const priority = PRIORITIES[urgency][kind];
      // The large decode that has its turn runs as a viewer's. Otherwise a viewer's large decode would wait for one of prewarm, which in
      // turn waits for all viewers.
      const runAsViewer = () => runAsOne({ kind, urgency: 'viewer', signal }, work);
      return locks.run(LARGE_DECODE, { limit: 1, priority, signal }, runAsViewer);
    },
  };
}
