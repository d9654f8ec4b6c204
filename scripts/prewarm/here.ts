import type { Unit } from '../../src/unit/unit.ts';
import type { Units } from '../../src/unit/units.ts';
import { eachAtOnce } from '../command/at-once.ts';
import type { Account } from './account.ts';

export interface PrewarmHereOptions {
  units: Pick<Units, 'accept' | 'prewarm'>;
  /** Whether what is remembered as broken is tried again. */
  retry: boolean;
  account: Account;
  /** Is told of each unit that is over and done with. */
  done: (item: UnitToPrewarm) => void;
  /** Once it is aborted, no more units are begun. */
  signal: AbortSignal;
}

/** A unit of the input. */
export interface UnitToPrewarm {
  line: number;
  unit: Unit;
  /** What its line took of the input. */
  bytes: number;
}

/** Enough that slow hosts hold up nobody else; how many images are in hand is bounded elsewhere. */
const UNITS_AT_ONCE = 64;

/**
 * Prewarms units in this process, and keeps no more of them in memory than are in hand.
 *
 * @throws CommandFailure when one after the other fails
 */
export async function prewarmHere(
  items: AsyncIterable<UnitToPrewarm>,
  { units, retry, account, done, signal }: PrewarmHereOptions,
): Promise<void> {
  async function prewarm({ unit }: UnitToPrewarm): Promise<void> {
    const told = new Set<string>();
    try {
      const job = await units.accept(unit, { retry });
      await units.prewarm(job, (outcome) => {
        told.add(outcome.src);
        account.tell(outcome);
      });
    } catch (fault) {
      return account.endUnit(unit, told, fault);
    }
    account.endUnit(unit, told);
  }

  const inHand = new Map<string, Promise<void>>();
  await eachAtOnce(
    items,
    UNITS_AT_ONCE,
    async (item) => {
      const { id } = item.unit;
      // The later of two lines about one unit is the one that counts.
      const before = inHand.get(id) ?? Promise.resolve();
      const work = before.then(() => prewarm(item));
      inHand.set(id, work);
      await work;
      if (inHand.get(id) === work) inHand.delete(id);
      done(item);
    },
    signal,
  );
}
