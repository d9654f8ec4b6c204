import { missingResourceOf } from '../../src/missing-resource.ts';
import type { ImageOutcome } from '../../src/unit/outcome.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { CommandFailure, messageOf } from '../cli/command.ts';
import type { LineOutput } from '../cli/output.ts';
import { printable } from '../cli/text.ts';
import type { ToReportLine } from './report-line.ts';
import type { RefusedInput, Totals } from './totals.ts';

/** Records the outcomes of a run: counts them, and writes a line for each to the outputs. */
export interface Recorder {
  addOutcome(outcome: ImageOutcome): void;
  addRefused(line: RefusedInput): void;
  /** Resolves when all lines are written and the outputs have room for more. */
  ready(): Promise<void>;
  /**
   * Ends a unit. After an error, its images without an outcome are recorded as pending. Without an error, a unit that has no
   * outcome at all was purged meanwhile.
   *
   * @param recorded - the sources whose outcome was recorded
   * @throws CommandFailure when too many units in a row have failed, or the bucket does not exist: then all others will too
   */
  endUnit(unit: Pick<Unit, 'id' | 'images'>, recorded: ReadonlySet<string>, error?: unknown): void;
}

export interface RecorderOptions {
  totals: Totals;
  outputs: readonly LineOutput[];
  /** Returns an outcome as it is written. Default: as it is. */
  toLine?: ToReportLine;
  /** Called with the error of each of the first few units that fail. */
  onMessage: (text: string) => void;
  /** Once it aborts, units may fail: their work was stopped. */
  signal: AbortSignal;
}

const NOT_TRIED = 'it was not tried';
const SHOWN_ERRORS = 5;
const MAX_ERRORS_IN_A_ROW = 50;

export function createRecorder(options: RecorderOptions): Recorder {
  const { totals, outputs, toLine = (outcome) => outcome, onMessage, signal } = options;
  let errors = 0;
  let errorsInARow = 0;
  const write = (line: object) => {
    const json = JSON.stringify(line);
    for (const output of outputs) output.write(json);
  };
  const addOutcome = (outcome: ImageOutcome) => {
    totals.addOutcome(outcome);
    if (outputs.length > 0) write(toLine(outcome));
  };
  function addError(id: string, error: unknown): void {
    const missing = missingResourceOf(error);
    if (missing) throw new CommandFailure(`Stopped: ${missing.message}`);
    const message = `${id}: ${printable(messageOf(error))}`;
    if (++errors <= SHOWN_ERRORS) onMessage(message);
    if (++errorsInARow < MAX_ERRORS_IN_A_ROW) return;
    throw new CommandFailure(`Stopped: ${errorsInARow} units in a row failed, such as ${message}`);
  }

  return {
    addOutcome,
    addRefused(line) {
      totals.addRefused(line);
      write(line);
    },
    async ready() {
      for (const output of outputs) await output.ready();
    },
    endUnit({ id, images }, recorded, error) {
      const hasFailed = error !== undefined;
      totals.endUnit(recorded.size === 0 && !hasFailed);
      const rest = hasFailed ? images.filter(({ src }) => !recorded.has(src)) : [];
      for (const { src, name } of rest)
        addOutcome({
          unit: id,
          src,
          ...(name !== undefined && { name }),
          state: 'pending',
          detail: NOT_TRIED,
        });
      if (!hasFailed) errorsInARow = 0;
      else if (!signal.aborted) addError(id, error);
    },
  };
}
