import { createReadStream, fstatSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { type Line, readLines } from '../../src/unit/read-lines.ts';
import { CommandFailure, messageOf } from './command.ts';

/** The lines of files, or of standard input. */
export interface LineInput {
  /** The size of all files; `undefined` when it is not known before the end, as for a pipe. */
  totalBytes: number | undefined;
  /** Reads a line when it is asked for. Once the signal aborts, the lines end. */
  lines(signal: AbortSignal): AsyncGenerator<InputLine, void>;
  /** The files themselves, to be read one after the other. */
  files: readonly InputSource[];
  /** Whether this file is one of the inputs. */
  includes(file: { dev: number; ino: number }): boolean;
}

export interface InputLine {
  /** The name of the file, when there is more than one. */
  file?: string;
  read: Line;
}

export interface InputSource {
  /** `-` is standard input. */
  name: string;
  /** Reads it once, as it is asked for. Once the signal aborts, it ends. Throws a CommandFailure when it cannot be read to its end. */
  chunks(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

interface InputFile {
  name: string;
  /** `undefined` for a pipe or a device. */
  bytes: number | undefined;
  dev: number;
  ino: number;
}

/**
 * Checks that every input can be read, before any is.
 *
 * @param names - of files; `-` is standard input
 * @throws CommandFailure naming the file that cannot be read
 */
export async function openLineInput(names: readonly string[]): Promise<LineInput> {
  if (names.indexOf('-') !== names.lastIndexOf('-')) {
    throw new CommandFailure('Standard input (-) can be read only once.');
  }
  const files = await Promise.all(names.map((name) => (name === '-' ? standardInput() : readableFile(name))));
  const sizes = files.map(({ bytes }) => bytes);
  return {
    totalBytes: sizes.reduce(
      (sum, bytes) => (sum === undefined || bytes === undefined ? undefined : sum + bytes),
      0,
    ),
    async *lines(signal) {
      for (const { name } of files) {
        for await (const read of readLines(chunksOf(name, signal))) {
          yield files.length > 1 ? { file: name, read } : { read };
        }
      }
    },
    files: files.map(({ name }) => ({ name, chunks: (signal) => chunksOf(name, signal) })),
    includes: ({ dev, ino }) => files.some((file) => file.dev === dev && file.ino === ino),
  };
}

function standardInput(): InputFile {
  const stats = fstatSync(process.stdin.fd);
  return { name: '-', bytes: stats.isFile() ? stats.size : undefined, dev: stats.dev, ino: stats.ino };
}

async function readableFile(name: string): Promise<InputFile> {
  try {
    const stats = await stat(name);
    if (stats.isDirectory()) throw new Error('it is a folder');
    await access(name, constants.R_OK);
    return { name, bytes: stats.isFile() ? stats.size : undefined, dev: stats.dev, ino: stats.ino };
  } catch (error) {
    throw new CommandFailure(`${name} cannot be read: ${messageOf(error)}`);
  }
}

async function* chunksOf(name: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const stream: Readable = name === '-' ? process.stdin : createReadStream(name);
  try {
    yield* addAbortSignal(signal, stream);
  } catch (error) {
    if (signal.aborted) return;
    const shown = name === '-' ? 'Standard input' : name;
    throw new CommandFailure(`${shown} cannot be read to its end: ${messageOf(error)}`);
  }
}
