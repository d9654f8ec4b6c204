import { InputFault } from '../../src/unit/input/input-fault.ts';
import type { DeclaredFormat } from '../../src/unit/input/input-kind.ts';
import { createInputNotes } from '../../src/unit/input/input-notes.ts';
import type { RefusedLine } from '../../src/unit/outcome.ts';
import { type ReadUnit, readUnits } from '../../src/unit/read-units.ts';
import type { LineInput } from '../cli/input.ts';
import type { InputSource } from '../cli/input-source.ts';
import { printable } from '../cli/text.ts';
import { isInventorySource } from './inventory/open-inventories.ts';
import { readInventory } from './inventory/read-inventory.ts';
import type { UnitToPrewarm } from './local-run.ts';
import type { Recorder } from './recorder.ts';
import type { UnitSelection } from './unit-selection.ts';

export interface ReadInputOptions {
  selection: UnitSelection;
  recorder: Recorder;
  /** Called with what is to be said of a file, apart from the lines that are refused. */
  onMessage: (text: string) => void;
  signal: AbortSignal;
}

const JSON_NAME = /\.(json|ndjson|jsonl)(\.\w+)?$/i;
const CSV_NAME = /\.(csv|tsv)(\.\w+)?$/i;

/** Reads the units of the input, and records the lines that are refused. A file that cannot be read as units is refused as a whole. */
export async function* readInput(
  input: LineInput,
  options: ReadInputOptions,
): AsyncGenerator<UnitToPrewarm, void> {
  const { recorder } = options;
  const isOne = input.files.length === 1;
  for (const file of input.files) {
    for await (const entry of readFile(file, options)) {
      await recorder.ready();
      if (!('state' in entry)) yield entry;
      else recorder.addRefused(isOne ? entry : { ...entry, file: file.name });
    }
  }
}

async function* readFile(
  file: InputSource,
  { selection, onMessage, signal }: ReadInputOptions,
): AsyncGenerator<ReadUnit | RefusedLine, void> {
  const { name } = file;
  const notes = createInputNotes();
  try {
    if (isInventorySource(file))
      yield* readInventory(file.inventory, { ...selection, notes, onMessage, signal });
    else yield* readUnits(file.chunks(signal), { ...selection, notes, declared: declaredBy(name) });
  } catch (error) {
    if (!(error instanceof InputFault)) throw error;
    yield { line: 1, state: 'refused', detail: `the input cannot be read: ${error.message}` };
  }
  const shown = name === '-' ? 'Standard input' : name;
  for (const note of notes.list()) onMessage(`${shown}: ${printable(note)}`);
}

function declaredBy(name: string): DeclaredFormat {
  if (CSV_NAME.test(name)) return 'csv';
  return JSON_NAME.test(name) ? 'json' : undefined;
}
