import { setImmediate } from 'node:timers/promises';
import type { RefusedLine } from './outcome.ts';
import { type Line, readLines } from './read-lines.ts';
import type { Unit } from './unit.ts';

/** A line of input with a unit. */
export interface UnitLine {
  /** Counted from 1, blank lines included. */
  line: number;
  unit: Unit;
}

/** Converts the JSON of a line to a unit. Throws an Error that says what is wrong. */
export type ToUnit = (value: unknown) => Unit;

/** Lines may be read for this long before other requests get a turn, in milliseconds. */
const UNINTERRUPTED_MS = 5;

/**
 * Reads units from NDJSON, with back-pressure. A line that is not a unit is refused by its number, and reading goes on.
 *
 * Other work gets a turn every few milliseconds: a megabyte can be hundreds of thousands of lines.
 */
export async function* readUnits(
  chunks: AsyncIterable<Uint8Array>,
  { toUnit }: { toUnit: ToUnit },
): AsyncGenerator<UnitLine | RefusedLine, void> {
  let turnEndedMs = performance.now();
  for await (const line of readLines(chunks)) {
    if (performance.now() - turnEndedMs > UNINTERRUPTED_MS) {
      await setImmediate();
      turnEndedMs = performance.now();
    }
    yield readUnit(line, toUnit);
  }
}

/** Returns the unit in a line, or the reason why the line is refused. Never throws. */
export function readUnit(read: Line, toUnit: ToUnit): UnitLine | RefusedLine {
  const { line } = read;
  if ('problem' in read) return { line, state: 'refused', detail: read.problem };
  try {
    return { line, unit: toUnit(parseJson(read.text)) };
  } catch (error) {
    return { line, state: 'refused', detail: error instanceof Error ? error.message : String(error) };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`not JSON: ${error instanceof Error ? error.message : error}`);
  }
}
