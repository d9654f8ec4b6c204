import { createReadStream, fstatSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { type Line, readLines } from '../../src/unit/read-lines.ts';
import { CommandFailure } from './command-failure.ts';

/** Lines of files, or of standard input. */
export interface LineInput {
  /** `undefined`: nobody knows before the end. */
  totalBytes: number | undefined;
  /** Reads as fast as lines are asked for, and ends early once the signal aborts. */
  lines(signal: AbortSignal): AsyncGenerator<InputLine, void>;
  /** Whether this file is among what is read. */
  includes(file: { dev: number; ino: number }): boolean;
}

export interface InputLine {
  /** Where it stands, if there is more than one place. */
  file?: string;
  read: Line;
}

interface Place {
  name: string;
  bytes: number | undefined;
  dev: number;
  ino: number;
}

/**
 * Makes sure that all input can be read.
 *
 * @param names - of files; `-` is standard input
 * @throws CommandFailure that names what cannot
 */
export async function openLineInput(names: readonly string[]): Promise<LineInput> {
  if (names.indexOf('-') !== names.lastIndexOf('-')) {
    throw new CommandFailure('Standard input (-) can be read only once.');
  }
  const places = await Promise.all(
    names.map((name) => (name === '-' ? standardInput() : readableFile(name))),
  );
  const sizes = places.map(({ bytes }) => bytes);
  return {
    totalBytes: sizes.reduce(
      (sum, bytes) => (sum === undefined || bytes === undefined ? undefined : sum + bytes),
      0,
    ),
    async *lines(signal) {
      for (const { name } of places) {
        for await (const read of readLines(chunksOf(name, signal))) {
          yield places.length > 1 ? { file: name, read } : { read };
        }
      }
    },
    includes: ({ dev, ino }) => places.some((place) => place.dev === dev && place.ino === ino),
  };
}

function standardInput(): Place {
  const stats = fstatSync(process.stdin.fd);
  return { name: '-', bytes: stats.isFile() ? stats.size : undefined, dev: stats.dev, ino: stats.ino };
}

async function readableFile(name: string): Promise<Place> {
  try {
    const stats = await stat(name);
    if (stats.isDirectory()) throw new Error('it is a folder');
    await access(name, constants.R_OK);
    return { name, bytes: stats.isFile() ? stats.size : undefined, dev: stats.dev, ino: stats.ino };
  } catch (error) {
    throw new CommandFailure(`${name} cannot be read: ${(error as Error).message}`);
  }
}

async function* chunksOf(name: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const stream: Readable = name === '-' ? process.stdin : createReadStream(name);
  try {
    yield* addAbortSignal(signal, stream);
  } catch (error) {
    if (signal.aborted) return;
    const what = name === '-' ? 'Standard input' : name;
    throw new CommandFailure(`${what} cannot be read to its end: ${(error as Error).message}`);
  }
}
