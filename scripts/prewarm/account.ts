import type { ImageOutcome } from '../../src/unit/outcome.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { printable } from '../command/amounts.ts';
import { CommandFailure } from '../command/command-failure.ts';
import type { LineOutput } from '../command/line-output.ts';
import type { RefusedInput, Tally } from './tally.ts';

/** Takes down what becomes of a run. */
export interface Account {
  tell(outcome: ImageOutcome): void;
  refuse(line: RefusedInput): void;
  /** Ends when there is room for more to be told. */
  room(): Promise<void>;
  /**
   * Ends with a unit. If that was for a fault, the images of which nothing was told are pending.
   *
   * @param told - the sources of which something was told; none, and no fault: it was purged meanwhile
   * @throws CommandFailure when one unit after the other ends with a fault: there is no point in going on
   */
  endUnit(unit: Pick<Unit, 'id' | 'images'>, told: ReadonlySet<string>, fault?: unknown): void;
}

export interface AccountOptions {
  tally: Tally;
  outputs: readonly LineOutput[];
  say: (text: string) => void;
  /** Once it is aborted, it is no fault that something is not done. */
  signal: AbortSignal;
}

/** So many say more than one, and little more than these. */
const SHOWN_FAULTS = 5;
const MAX_FAULTS_IN_A_ROW = 50;

export function createAccount({ tally, outputs, say, signal }: AccountOptions): Account {
  let faults = 0;
  let faultsInARow = 0;
  const write = (line: ImageOutcome | RefusedInput) => {
    const json = JSON.stringify(line);
    for (const output of outputs) output.write(json);
  };
  const tell = (outcome: ImageOutcome) => {
    tally.add(outcome);
    write(outcome);
  };
  function note(id: string, fault: unknown): void {
    const what = `${id}: ${printable(fault instanceof Error ? fault.message : String(fault))}`;
    if (++faults <= SHOWN_FAULTS) say(what);
    if (++faultsInARow < MAX_FAULTS_IN_A_ROW) return;
    throw new CommandFailure(`Stopped: ${faultsInARow} units in a row could not be worked on, as ${what}`);
  }

  return {
    tell,
    refuse(line) {
      tally.refuse(line);
      write(line);
    },
    async room() {
      for (const output of outputs) await output.room();
    },
    endUnit({ id, images }, told, fault) {
      const isFaulty = fault !== undefined;
      tally.endUnit(told.size === 0 && !isFaulty);
      const left = isFaulty ? images.filter(({ src }) => !told.has(src)) : [];
      for (const { src } of left) tell({ unit: id, src, state: 'pending', detail: 'it was not tried' });
      if (!isFaulty) faultsInARow = 0;
      else if (!signal.aborted) note(id, fault);
    },
  };
}
