import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLines } from '../../src/unit/read-lines.ts';

/** Values that are put down now and read later, once: in a file, so that memory stays flat however many they are. */
export interface Spool<T> {
  add(values: readonly T[]): Promise<void>;
  /** To be read when all has been added. */
  read(): AsyncGenerator<T, void>;
  close(): Promise<void>;
}

/** @typeParam T - of what JSON has */
export async function createSpool<T>(): Promise<Spool<T>> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-'));
  const file = await open(join(folder, 'spool'), 'w+');
  // What is open needs no name, and what has none cannot be left behind.
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
