import { createLocks, type Locks } from '../../locks.ts';
import type { Encoder, Urgency } from '../encoder.ts';
import { type EncoderProcess, ProcessEnded, startEncoderProcess } from './encoder-process.ts';
import { decodeInPool } from './pool-job.ts';
import { createProcessCounts, type ProcessCounts } from './process-counts.ts';

export interface EncoderPoolOptions {
  /** The number of processes for viewers, each of which works on one image at a time. */
  processes: number;
  /** The limit of pixels of a source, all frames together. */
  maxPixels: number;
  /** Let large images take turns, in all processes of a server. Default: in this one. */
  locks?: Locks | undefined;
  /** Let images wait for a process: of this pool alone. */
  slots?: Locks;
  /** Called when a process has ended that should not have. */
  onProcessEnded?: (ended: ProcessEnded) => void;
  /** Are kept up to date. */
  counts?: ProcessCounts;
}

/** How processes of one urgency are used. */
interface Kind {
  /** How many work at the same time. */
  limit: number;
  /** Concurrent encodes of one image. */
  concurrency: number;
  /** See `ProgramOptions`. */
  niceness: number;
  ownSession: boolean;
  /** How many stay when there is nothing to do. */
  kept: number;
}

const URGENCIES = ['viewer', 'prewarm'] as const;

/** Hits are answered by the server itself, and go before everything. */
const VIEWER_NICENESS = 1;
/** A viewer's encode gets three times the CPU time of one that nobody waits for, if they compete. See sched(7), "The nice value". */
const PREWARM_NICENESS = 6;
/** Several variants of an image are encoded at the same time: one unit alone shall use more than one core. */
const PREWARM_CONCURRENCY = 2;

/** A process that nobody needs is ended after this time: it holds some 90 MB. */
const IDLE_MS = 60_000;
/** One that holds more is replaced, which gives the memory back. In bytes. */
const MAX_IDLE_MEMORY = 300 * 2 ** 20;

/**
 * Creates an encoder that decodes and encodes in other processes. A file that hangs, crashes or exhausts a decoder costs that process only,
 * and no other image: each process works on one at a time. Viewers have processes of their own, which go before those of prewarm.
 */
export function createEncoderPool({
  processes,
  maxPixels,
  locks = createLocks(),
  slots = createLocks(),
  onProcessEnded = () => {},
  counts = createProcessCounts(),
}: EncoderPoolOptions): Required<Encoder> {
  const concurrency = Math.min(PREWARM_CONCURRENCY, processes);
  const kinds: Readonly<Record<Urgency, Kind>> = {
    viewer: {
      limit: processes,
      concurrency: 1,
      niceness: VIEWER_NICENESS,
      ownSession: false,
      kept: processes,
    },
    prewarm: {
      limit: Math.ceil(processes / concurrency),
      concurrency,
      niceness: PREWARM_NICENESS,
      ownSession: true,
      kept: 0,
    },
  };
  const all = new Set<EncoderProcess>();
  const idle: Record<Urgency, IdleProcess[]> = { viewer: [], prewarm: [] };
  let checks: NodeJS.Timeout | undefined;

  function startProcess(urgency: Urgency): EncoderProcess {
    checks ??= setInterval(endIdle, IDLE_MS / 2).unref();
    try {
      const process = startEncoderProcess({ ...kinds[urgency], maxPixels });
      all.add(process);
      void process.ended.then((ended) => {
        all.delete(process);
        forgetIdle(process);
        if (ended.reason !== 'closed') report(ended);
      });
      return process;
    } catch (error) {
      if (error instanceof ProcessEnded) report(error);
      throw error;
    }
  }

  function report(ended: ProcessEnded): void {
    counts.replaced[ended.reason] = (counts.replaced[ended.reason] ?? 0) + 1;
    onProcessEnded(ended);
  }

  function takeProcess(urgency: Urgency): EncoderProcess {
    const { process } = idle[urgency].pop() ?? { process: startProcess(urgency) };
    counts.busy++;
    countIdle();
    return process;
  }

  function returnProcess(urgency: Urgency, process: EncoderProcess): void {
    counts.busy--;
    if (process.memory > MAX_IDLE_MEMORY) process.end();
    else if (all.has(process)) keepIdle(urgency, process);
  }

  function keepIdle(urgency: Urgency, process: EncoderProcess): void {
    idle[urgency].push({ process, sinceMs: performance.now() });
    countIdle();
  }

  function forgetIdle(process: EncoderProcess): void {
    for (const urgency of URGENCIES)
      idle[urgency] = idle[urgency].filter((entry) => entry.process !== process);
    countIdle();
  }

  function countIdle(): void {
    counts.idle = idle.viewer.length + idle.prewarm.length;
  }

  /** The last ones of each list have been used last. */
  function endIdle(): void {
    const until = performance.now() - IDLE_MS;
    for (const urgency of URGENCIES) {
      const surplus = idle[urgency].slice(0, -kinds[urgency].kept || undefined);
      for (const { process, sinceMs } of surplus) {
        if (sinceMs > until) continue;
        // At once: a job that comes before it has ended must not get it.
        forgetIdle(process);
        process.end();
      }
    }
  }

  async function withProcess<T>(
    urgency: Urgency,
    signal: AbortSignal | undefined,
    work: (process: EncoderProcess) => Promise<T>,
  ): Promise<T> {
    return await slots.run(`encode ${urgency}`, { limit: kinds[urgency].limit, signal }, async () => {
      const process = takeProcess(urgency);
      try {
        return await work(process);
      } finally {
        await process.close();
        returnProcess(urgency, process);
      }
    });
  }

  return {
    async decode(bytes, maxWidth, urgency, signal, onStart) {
      const task = { bytes, maxWidth, urgency };
      return await decodeInPool(task, {
        withProcess: (work) =>
          withProcess(urgency, signal, async (process) => {
            onStart?.();
            return await work(process);
          }),
        locks,
        signal,
      });
    },
    // Starts all processes for viewers, and waits for one.
    async start() {
      const started = Array.from({ length: kinds.viewer.kept }, () => startProcess('viewer'));
      for (const process of started) keepIdle('viewer', process);
      await Promise.any(started.map(({ ready }) => ready)).catch((error: AggregateError) => {
        throw error.errors[0];
      });
    },
    async close() {
      clearInterval(checks);
      const ended = [...all].map((process) => process.ended);
      for (const process of all) process.end();
      await Promise.all(ended);
    },
  };
}

interface IdleProcess {
  process: EncoderProcess;
  /** When its last work was done, in milliseconds of a monotonic clock. */
  sinceMs: number;
}
