import type { RefusedLine } from './outcome.ts';
import { type Line, readLines } from './read-lines.ts';
import type { Unit } from './unit.ts';

/** A line of input that is a unit. */
export interface UnitLine {
  /** Counted from 1, blank lines included. */
  line: number;
  unit: Unit;
}

/** How the JSON of a line becomes a unit; throws an Error that says why it does not. */
export type ToUnit = (value: unknown) => Unit;

/** Reads units out of NDJSON, as fast as they are asked for. A line that is none is refused by number, and the rest goes on. */
export async function* readUnits(
  chunks: AsyncIterable<Uint8Array>,
  { toUnit }: { toUnit: ToUnit },
): AsyncGenerator<UnitLine | RefusedLine, void> {
  for await (const line of readLines(chunks)) yield readUnit(line, toUnit);
}

/** Reads the unit that stands in a line. */
export function readUnit(read: Line, toUnit: ToUnit): UnitLine | RefusedLine {
  const { line } = read;
  if ('complaint' in read) return { line, state: 'refused', detail: read.complaint };
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
