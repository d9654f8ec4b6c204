import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImageOutcome, RefusedLine } from '../../../src/unit/outcome.ts';

const MEMORY_FOLDER = '/dev/shm';

/** A folder in memory where the system has one, so that the disk does not slow a benchmark down; else the temp folder. */
export function fastestParent(): string {
  return existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir();
}

/** Calls `use` with a new folder, and deletes the folder afterwards. */
export async function withFolder<T>(parent: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(parent, 'edgepress-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The files of a prewarm run in a work folder. */
export function prewarmFiles(folder: string) {
  return {
    unitsFile: join(folder, 'units.jsonl'),
    reportFile: join(folder, 'report.jsonl'),
    storeFolder: join(folder, 'store'),
  };
}

/** A unit as it is submitted. */
export interface SubmittedUnit {
  id: string;
  images: readonly string[];
}

/** Streams units into an NDJSON file for prewarm, so that any number of them fits into memory. */
export async function writeUnits(path: string, units: Iterable<SubmittedUnit>): Promise<void> {
  await pipeline(Readable.from(linesOf(units)), createWriteStream(path));
}

/** Generates `count` units, one at a time. */
export function* generateUnits(
  count: number,
  unitAt: (index: number) => SubmittedUnit,
): Generator<SubmittedUnit, undefined> {
  for (let index = 0; index < count; index++) yield unitAt(index);
}

/** Reads the report that `prewarm --report` wrote. */
export async function* readReport(path: string): AsyncGenerator<ImageOutcome | RefusedLine, void> {
  for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line);
}

function* linesOf(units: Iterable<SubmittedUnit>): Generator<string, void> {
  for (const unit of units) yield `${JSON.stringify(unit)}\n`;
}
