import type { Job, UnitQueue } from '../../src/queue/queue.ts';
import { ingestUnits } from '../../src/unit/ingest.ts';
import type { UnitLine } from '../../src/unit/read-units.ts';
import type { Units } from '../../src/unit/units.ts';
import { type FollowedUnit, followUnits } from './follow-units.ts';
import type { UnitToPrewarm } from './local-run.ts';
import type { Progress } from './progress.ts';
import type { Recorder } from './recorder.ts';
import { createSpool } from './spool.ts';
import type { Totals } from './totals.ts';

export interface PrewarmThroughQueueOptions {
  units: Pick<Units, 'submitBatch' | 'status' | 'progress'>;
  queue: Pick<UnitQueue, 'send'>;
  /** Whether to try again what is remembered as broken. */
  retry: boolean;
  /** Whether to follow the units until they are done. */
  wait: boolean;
  /** With `wait`: gives up after this time without any new outcome. */
  patienceMs: number;
  recorder: Recorder;
  totals: Totals;
  /** Updated as units are put on the queue, and then as they are done. */
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Puts units on the queue for workers to prewarm, and with `wait` follows them until they are done.
 *
 * @throws Error when patience ends, or an error of the store or the queue: units that `progress` counts as queued are on the queue
 */
export async function prewarmThroughQueue(
  items: AsyncIterable<UnitToPrewarm>,
  options: PrewarmThroughQueueOptions,
): Promise<void> {
  const { units, queue, retry, wait, progress } = options;
  const submittedAtMs = Date.now();
  const spool = wait ? await createSpool<FollowedUnit>() : undefined;
  const queued = { units: 0, images: 0 };
  progress.queued = queued;
  const onQueued = async (sent: readonly FollowedUnit[]) => {
    queued.units += sent.length;
    for (const { images } of sent) queued.images += images;
    await spool?.add(sent);
  };
  try {
    await submitUnits(countBytes(items, progress), { units, queue, retry, onQueued, isFollowed: wait });
    if (!spool) return;
    Object.assign(progress, { queued: undefined, done: 0, total: queued.units });
    const { recorder, totals, patienceMs, signal } = options;
    const ended = await followUnits(spool.read(), {
      ...{ units, recorder, totals, submittedAtMs, patienceMs, signal },
      onDone: () => progress.done++,
    });
    if (ended === 'out of patience')
      throw new Error(`No progress for ${patienceMs / 1000} s: is any worker consuming the queue?`);
  } finally {
    await spool?.close();
  }
}

interface SubmitOptions {
  units: Pick<Units, 'submitBatch' | 'status'>;
  queue: Pick<UnitQueue, 'send'>;
  retry: boolean;
  /** Called with the units that are on the queue now. */
  onQueued: (units: readonly FollowedUnit[]) => Promise<void>;
  isFollowed: boolean;
}

async function submitUnits(items: AsyncIterable<UnitLine>, options: SubmitOptions): Promise<void> {
  const { units, queue, retry, onQueued, isFollowed } = options;
  const toFollowed = async ({ unit: id, images }: Job): Promise<FollowedUnit> => {
    return { id, images, ...(retry && isFollowed && { brokenBefore: await nextAttemptsOf(units, id) }) };
  };
  const send = async (jobs: readonly Job[]) => {
    // Before they are sent: a worker may retry a source immediately.
    const followed = await Promise.all(jobs.map(toFollowed));
    await queue.send(jobs);
    await onQueued(followed);
  };
  // Refused lines were already recorded where they were read.
  await ingestUnits(items, { units, queue: { send }, retry, onRefused: () => {} });
}

/** The next attempt of each source of a unit that is broken. A retry changes it, and so can be told from the failure before. */
async function nextAttemptsOf(units: Pick<Units, 'status'>, id: string): Promise<Record<string, string>> {
  const images = (await units.status(id))?.images ?? [];
  return Object.fromEntries(
    images.flatMap((image) => (image.state === 'broken' ? [[image.src, image.nextAttempt]] : [])),
  );
}

async function* countBytes(items: AsyncIterable<UnitToPrewarm>, progress: Progress) {
  for await (const item of items) {
    yield item;
    progress.done += item.bytes;
  }
}
