import type { Job, UnitQueue } from '../../src/queue/queue.ts';
import { ingestUnits } from '../../src/unit/ingest.ts';
import type { UnitLine } from '../../src/unit/read-units.ts';
import type { Units } from '../../src/unit/units.ts';
import type { FollowedUnit } from './follow-units.ts';

export interface QueueUnitsOptions {
  units: Pick<Units, 'accept' | 'status'>;
  queue: Pick<UnitQueue, 'send'>;
  /** Whether what is remembered as broken is to be tried again. */
  retry: boolean;
  /** Is told of units that are on the queue now. */
  put: (units: readonly FollowedUnit[]) => Promise<void>;
  /** Whether somebody will follow them. */
  isFollowed: boolean;
}

/**
 * Puts units on the queue, for others to prewarm.
 *
 * @throws what the store or the queue throws: what was told of is on the queue nevertheless
 */
export async function queueUnits(items: AsyncIterable<UnitLine>, options: QueueUnitsOptions): Promise<void> {
  const { units, queue, retry, put, isFollowed } = options;
  const lookUp = async ({ unit: id, images }: Job): Promise<FollowedUnit> => {
    return { id, images, ...(retry && isFollowed && { brokenBefore: await brokenNow(units, id) }) };
  };
  const send = async (jobs: readonly Job[]) => {
    const looked = await Promise.all(jobs.map(lookUp));
    await queue.send(jobs);
    await put(looked);
  };
  // Lines that are no unit are told of where they are read.
  await ingestUnits(items, { units, queue: { send }, retry, refuse: () => {} });
}

/** What is remembered as broken, and until when: once it has been tried again, that is another time. */
async function brokenNow(units: Pick<Units, 'status'>, id: string): Promise<Record<string, string>> {
  const images = (await units.status(id))?.images ?? [];
  return Object.fromEntries(
    images.flatMap((image) => (image.state === 'broken' ? [[image.src, image.nextAttempt]] : [])),
  );
}
