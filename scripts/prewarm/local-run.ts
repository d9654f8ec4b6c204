import type { Unit } from '../../src/unit/unit.ts';
import type { Units } from '../../src/unit/units.ts';
import type { UnitServices } from '../../src/unit-services.ts';
import { forEachConcurrently } from '../cli/concurrency.ts';
import type { Recorder } from './recorder.ts';

export interface PrewarmLocallyOptions {
  units: Pick<Units, 'submit'>;
  /** Makes the variants of a unit, and records what became of it. */
  processJob: UnitServices['processJob'];
  /** Whether to try again what is remembered as broken. */
  retry: boolean;
  recorder: Recorder;
  /** Called when a unit is done. */
  onDone: (item: UnitToPrewarm) => void;
  /** Once it aborts, no more units are started. */
  signal: AbortSignal;
}

/** A unit of the input. */
export interface UnitToPrewarm {
  line: number;
  unit: Unit;
  /** The length of its line in the input. */
  bytes: number;
}

/** Enough that slow hosts do not hold up other units. How many images are in flight is bounded by the unit services. */
const MAX_UNITS_IN_FLIGHT = 64;

/**
 * Prewarms units in this process. Only the units in flight are kept in memory.
 *
 * @throws CommandFailure when too many units in a row fail
 */
export async function prewarmLocally(
  items: AsyncIterable<UnitToPrewarm>,
  { units, processJob, retry, recorder, onDone, signal }: PrewarmLocallyOptions,
): Promise<void> {
  async function prewarm({ unit }: UnitToPrewarm): Promise<void> {
    const recorded = new Set<string>();
    try {
      const job = await units.submit(unit, { retry });
      await processJob(job, (outcome) => {
        recorded.add(outcome.src);
        recorder.addOutcome(outcome);
      });
    } catch (error) {
      return recorder.endUnit(unit, recorded, error);
    }
    recorder.endUnit(unit, recorded);
  }

  const inFlight = new Map<string, Promise<void>>();
  await forEachConcurrently(
    items,
    MAX_UNITS_IN_FLIGHT,
    async (item) => {
      const { id } = item.unit;
      // Lines about one unit are processed one after the other, because the last of them counts.
      const previous = inFlight.get(id) ?? Promise.resolve();
      const work = previous.then(() => prewarm(item));
      inFlight.set(id, work);
      await work;
      if (inFlight.get(id) === work) inFlight.delete(id);
      onDone(item);
    },
    signal,
  );
}
