import { createTurns } from '../turns.ts';
import { type CsvUnit, readCsvUnits } from './input/csv-units.ts';
import { decodeText } from './input/decode-text.ts';
import { idIn } from './input/id-in-text.ts';
import { InputFault } from './input/input-fault.ts';
import { type DeclaredFormat, findInputKind, type InputKind } from './input/input-kind.ts';
import { createInputNotes, type InputNotes } from './input/input-notes.ts';
import { isNestedTooDeep, MAX_NESTING } from './input/json-nesting.ts';
import { hasTooManyParts, MAX_PARTS } from './input/json-parts.ts';
import { type JsonValue, readJsonValues } from './input/json-values.ts';
import { createRowGroups } from './input/row-groups.ts';
import { createSeenIds } from './input/seen-ids.ts';
import { unpack } from './input/unpack.ts';
import type { RefusedLine } from './outcome.ts';
import { type NoteUnit, sentId } from './parse-unit.ts';
import { type Line, readLineBatches } from './read-lines.ts';
import type { Unit } from './unit.ts';

/** A unit of an input. */
export interface UnitLine {
  /** On which it begins, counted from 1, blank lines included. */
  line: number;
  unit: Unit;
}

export interface ReadUnit extends UnitLine {
  /** The bytes of the input, as it was sent, that have been read since the unit before. */
  bytes: number;
}

/** Converts JSON to a unit. Throws an Error that says what is wrong. */
export type ToUnit = (value: unknown, note?: NoteUnit) => Unit;

export interface ReadUnitsOptions {
  toUnit: ToUnit;
  /** Gets what is to be said of the input. */
  notes?: InputNotes;
  /** What the name or the content type of the input says. */
  declared?: DeclaredFormat;
  /** Whether `toUnit` finds the id and the images itself: of CSV, it gets all cells of a row. */
  isSelected?: boolean;
}

/** The reasons of further refusals are shorter: an input may have millions of lines that are no JSON, and nobody reads them. */
const MAX_EXPLAINED = 10_000;
/** How the refusal begins that says that an input cannot be read to its end. */
export const DAMAGE = 'from here on, the input cannot be read';

/**
 * Reads units, with back-pressure: a unit a line as JSON (NDJSON), an array of units, units one after the other, or CSV with a header; in
 * UTF-8 or UTF-16; as they are, or compressed with gzip or Zstandard. Which of it, its first bytes say. What is not a unit is refused by
 * its line, and reading goes on.
 *
 * Other work gets a turn every few milliseconds: a megabyte can be hundreds of thousands of lines.
 *
 * @throws InputFault if no unit can be read at all. If it cannot be read to its end, the last line that is refused says so
 */
export async function* readUnits(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadUnitsOptions,
): AsyncGenerator<ReadUnit | RefusedLine, void> {
  const meter = createMeter(chunks);
  const turns = createTurns();
  let [lastLine, isBegun] = [1, false];
  let join: ReturnType<typeof createJoin> | undefined;
  try {
    const { entries, kind, notes } = await openInput(meter.text(), options);
    join = createJoin(kind, notes);
    const read = createEntryReader(options.toUnit, notes, meter.asSent);
    for await (const batch of entries) {
      for (const entry of batch) {
        [lastLine, isBegun] = [Math.max(lastLine, entry.line), true];
        // Not `yield*`, which waits several times even for a list of nothing.
        for (const complete of join.add(read(entry), entry.bytes)) yield complete;
        const turn = turns.give();
        if (turn) await turn;
      }
      await turns.give();
    }
    yield* join.end();
  } catch (error) {
    if (!(error instanceof InputFault) || !isBegun) throw error;
    // Thousands of units wait for further rows: those that were read are taken, as the refusal says.
    yield* join?.end() ?? [];
    const detail = `${DAMAGE}: ${error.message}`;
    yield { line: lastLine + 1, state: 'refused', detail };
  }
}

/** Counts the bytes of an input as it was sent, and of its text. */
function createMeter(chunks: AsyncIterable<Uint8Array>) {
  let [sentBytes, textBytes] = [0, 0];
  async function* sent(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunks) {
      sentBytes += chunk.byteLength;
      yield chunk;
    }
  }
  return {
    async *text(): AsyncGenerator<Uint8Array, void> {
      for await (const chunk of decodeText(unpack(sent()))) {
        textBytes += chunk.byteLength;
        yield chunk;
      }
    },
    asSent: (bytes: number) => (textBytes === 0 ? 0 : Math.round((bytes * sentBytes) / textBytes)),
  };
}

type Entry = Line | JsonValue | CsvUnit;

async function openInput(text: AsyncIterable<Uint8Array>, options: ReadUnitsOptions) {
  const { notes = createInputNotes(), declared, isSelected = false } = options;
  const { kind, all } = await findInputKind(text, declared, isSelected);
  return { kind, notes, entries: readKind(all, kind, notes, isSelected) };
}

function readKind(
  chunks: AsyncIterable<Uint8Array>,
  kind: InputKind,
  notes: InputNotes,
  keepsCells: boolean,
): AsyncIterable<Entry[]> {
  if (kind.format === 'lines') return readLineBatches(chunks);
  if (kind.format === 'values') return readJsonValues(chunks);
  // With other columns than usual, what is said of columns would be wrong.
  const said = keepsCells ? createInputNotes() : notes;
  return readCsvUnits(chunks, { delimiter: kind.delimiter, notes: said, keepsCells });
}

/** Returns what joins the rows of a unit in CSV, and otherwise notes the ids that were sent twice. */
function createJoin({ format }: InputKind, notes: InputNotes) {
  const seen = createSeenIds();
  const groups = format === 'csv' ? createRowGroups(seen.add) : undefined;
  return {
    add(read: ReadUnit | RefusedLine, textBytes: number): readonly (ReadUnit | RefusedLine)[] {
      if ('state' in read) return [read];
      if (groups) return groups.add(read, textBytes);
      if (seen.add(read.unit.id))
        notes.add('a unit was sent before in the same input: the last one counts', read.line, read.unit.id);
      return [read];
    },
    end: () => groups?.end() ?? [],
  };
}

/** Returns a function that reads a unit, or says why it is refused. It never throws. */
function createEntryReader(toUnit: ToUnit, notes: InputNotes, asSent: (bytes: number) => number) {
  let refused = 0;
  let bytes = 0;
  return (entry: Entry): ReadUnit | RefusedLine => {
    bytes += entry.bytes;
    const { line } = entry;
    const note = (text: string) => notes.add(text, line);
    const read = readEntry(entry, (value) => toUnit(value, note), refused < MAX_EXPLAINED);
    if (read instanceof Refusal) {
      refused++;
      const item = 'item' in entry && { item: entry.item };
      const unit = read.unit !== undefined && { unit: read.unit };
      return { line, ...item, ...unit, state: 'refused', detail: read.message };
    }
    const sent = asSent(bytes);
    bytes = 0;
    return { line, unit: read, bytes: sent };
  };
}

/** Why an entry is refused. Not an Error: its stack would cost more than the rest. */
class Refusal {
  readonly message: string;
  readonly unit: string | undefined;
  constructor(message: string, unit?: string) {
    this.message = message;
    this.unit = unit;
  }
}

function readEntry(
  entry: Line | JsonValue | CsvUnit,
  toUnit: (value: unknown) => Unit,
  isExplained: boolean,
): Unit | Refusal {
  if ('problem' in entry) return new Refusal(entry.problem, 'id' in entry ? entry.id : undefined);
  const value = 'value' in entry ? entry.value : parseJson(entry.text, isExplained);
  if (value instanceof Refusal) return value;
  try {
    return toUnit(value);
  } catch (error) {
    return new Refusal(error instanceof Error ? error.message : String(error), sentId(value));
  }
}

function parseJson(text: string, isExplained: boolean): unknown {
  if (isNestedTooDeep(text)) return new Refusal(`it is nested deeper than ${MAX_NESTING}`, idIn(text));
  if (hasTooManyParts(text)) return new Refusal(`it has more than ${MAX_PARTS} values`, idIn(text));
  const start = text.trimStart()[0] ?? '';
  if (start !== '{') return new Refusal(`it is not a JSON object: it begins with \`${start}\``);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!isExplained) return new Refusal('not JSON');
    return new Refusal(`not JSON: ${error instanceof Error ? error.message : error}`, idIn(text));
  }
}
