import type { UnitQueue } from '../queue/queue.ts';
import type { RefusedLine } from './outcome.ts';
import type { UnitLine } from './read-units.ts';
import type { Unit } from './unit.ts';
import type { Units } from './units.ts';

export interface IngestOptions {
  units: Pick<Units, 'accept'>;
  queue: Pick<UnitQueue, 'send'>;
  /** Whether what is remembered as broken is to be tried again. */
  retry: boolean;
  /** Is told of each line that is no unit. */
  refuse: (refused: RefusedLine) => void;
}

/** What was taken in, and is safe. */
export interface IngestCounts {
  /** Lines that were units, so that one given twice counts twice. */
  units: number;
  images: number;
}

/** Units stored at once: on a disk, or over a network, one waits much longer than it works. */
export const UNITS_AT_ONCE = 128;
/** Of those, all together: a unit can be a thousand images long. */
export const IMAGES_AT_ONCE = 5000;

/**
 * Takes in units, however many: their manifests are stored, then they are put on the queue. Reads on only when that is done, so
 * that whoever sends them is held back rather than kept in memory.
 *
 * @throws what the input, the store or the queue throws; what was read before the input failed is taken in all the same
 */
export async function ingestUnits(
  lines: AsyncIterable<UnitLine | RefusedLine>,
  options: IngestOptions,
): Promise<IngestCounts> {
  const safe = { units: 0, images: 0 };
  const read = { units: 0, images: 0 };
  const chunk = new Map<string, Unit>();

  async function flush(): Promise<void> {
    const units = [...chunk.values()];
    chunk.clear();
    await keep(units, options);
    Object.assign(safe, read);
  }

  try {
    for await (const line of lines) {
      if ('state' in line) {
        options.refuse(line);
        continue;
      }
      const { unit } = line;
      if (chunk.size === UNITS_AT_ONCE || read.images - safe.images > IMAGES_AT_ONCE) await flush();
      // The later of two lines about one unit is the one that counts.
      chunk.set(unit.id, unit);
      read.units++;
      read.images += unit.images.length;
    }
  } finally {
    await flush();
  }
  return safe;
}

/** Keeps units safe; where that fails for some, the others are still prewarmed. */
async function keep(units: readonly Unit[], { queue, retry, ...options }: IngestOptions): Promise<void> {
  const accepted = units.map((unit) => options.units.accept(unit, { retry }));
  const settled = await Promise.allSettled(accepted);
  await queue.send(settled.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])));
  await Promise.all(accepted);
}
