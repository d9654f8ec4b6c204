import type { UnitQueue } from '../queue/queue.ts';
import type { RefusedLine } from './outcome.ts';
import { MAX_PACK_UNITS } from './packs.ts';
import type { UnitLine } from './read-units.ts';
import type { Unit } from './unit.ts';
import type { Units } from './units.ts';

export interface IngestOptions {
  units: Pick<Units, 'submitBatch'>;
  queue: Pick<UnitQueue, 'send'>;
  /** Whether to try sources again that are recorded as broken. */
  retry: boolean;
  /** Called with each line that is not a unit. */
  onRefused: (refused: RefusedLine) => void;
}

/** What is in the store and on the queue. */
export interface IngestCounts {
  /** Lines with a unit: a unit that is given twice counts twice. */
  units: number;
  images: number;
}

/** The most units whose manifests are stored together. */
export const MAX_BATCH_UNITS = MAX_PACK_UNITS;
/** A batch with more images gets no further unit, since a unit may have a thousand images. */
export const MAX_BATCH_IMAGES = 5000;

/**
 * Ingests any number of units, in batches: stores the manifests, then sends the jobs. Reads on only when a batch is done, so that a
 * fast client is slowed down and does not fill the memory.
 *
 * @throws the error of the input, the store or the queue. Units that were read before the input failed are ingested all the same
 */
export async function ingestUnits(
  lines: AsyncIterable<UnitLine | RefusedLine>,
  options: IngestOptions,
): Promise<IngestCounts> {
  const ingested = { units: 0, images: 0 };
  const read = { units: 0, images: 0 };
  const batch = new Map<string, Unit>();

  async function flush(): Promise<void> {
    const units = [...batch.values()];
    batch.clear();
    await ingestBatch(units, options);
    Object.assign(ingested, read);
  }

  try {
    for await (const line of lines) {
      if ('state' in line) {
        options.onRefused(line);
        continue;
      }
      const { unit } = line;
      if (batch.size === MAX_BATCH_UNITS || read.images - ingested.images > MAX_BATCH_IMAGES) await flush();
      // Of two lines about one unit, the later one counts.
      batch.set(unit.id, unit);
      read.units++;
      read.images += unit.images.length;
    }
  } finally {
    await flush();
  }
  return ingested;
}

/**
 * Submits units and sends their jobs. If some cannot be submitted, the others are still sent. What is cut off before all jobs are on the
 * queue is taken up later.
 */
async function ingestBatch(
  batch: readonly Unit[],
  { units, queue, retry }: Pick<IngestOptions, 'units' | 'queue' | 'retry'>,
): Promise<void> {
  if (batch.length === 0) return;
  const { jobs, error, forget } = await units.submitBatch(batch, { retry });
  await queue.send(jobs);
  if (error !== undefined) throw error;
  await forget();
}
