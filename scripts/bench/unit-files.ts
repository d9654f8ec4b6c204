import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImageOutcome, RefusedLine } from '../../src/unit/outcome.ts';

/** A unit as it is handed over. */
export interface HandedUnit {
  id: string;
  images: readonly string[];
}

/** Writes units into a file for prewarm, however many. */
export async function writeUnits(path: string, units: Iterable<HandedUnit>): Promise<void> {
  await pipeline(Readable.from(linesOf(units)), createWriteStream(path));
}

/** So many of them, made when they are asked for. */
export function* unitsOf(
  count: number,
  unitOf: (index: number) => HandedUnit,
): Generator<HandedUnit, undefined> {
  for (let index = 0; index < count; index++) yield unitOf(index);
}

/** Reads what `prewarm --report` wrote. */
export async function* readReport(path: string): AsyncGenerator<ImageOutcome | RefusedLine, void> {
  for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line);
}

function* linesOf(units: Iterable<HandedUnit>): Generator<string, void> {
  for (const unit of units) yield `${JSON.stringify(unit)}\n`;
}
