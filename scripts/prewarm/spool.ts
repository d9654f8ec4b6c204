import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLines } from '../../src/unit/read-lines.ts';

/** A queue of values in a temp file, written once and then read once, so that memory stays flat however many there are. */
export interface Spool<T> {
  add(values: readonly T[]): Promise<void>;
  /** Reads all values in order. Call it after the last `add`. */
  read(): AsyncGenerator<T, void>;
  close(): Promise<void>;
}

/** @typeParam T - a type of JSON values */
export async function createSpool<T>(): Promise<Spool<T>> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-'));
  const file = await open(join(folder, 'spool'), 'w+');
  // Unlinked while it is open, so that a killed process leaves no file behind.
  await rm(folder, { recursive: true });
  return {
    async add(values) {
      await file.appendFile(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    },
    async *read() {
      const stream = file.createReadStream({ start: 0, autoClose: false });
      for await (const line of readLines(stream, Number.POSITIVE_INFINITY)) {
        if ('text' in line) yield JSON.parse(line.text) as T;
      }
    },
    close: () => file.close(),
  };
}
