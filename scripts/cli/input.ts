import { createReadStream, fstatSync, type Stats } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { type Line, readLines } from '../../src/unit/read-lines.ts';
import { CommandFailure, messageOf } from './command.ts';
import type { InputSource } from './input-source.ts';
import { findS3Objects, isS3Name } from './s3-input.ts';

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

/**
 * Checks that every input can be read, before any is.
 *
 * @param names - of files; `-` is standard input; with `client`, also of objects in S3
 * @throws CommandFailure naming the file that cannot be read
 */
export async function openLineInput(names: readonly string[], client?: S3Client): Promise<LineInput> {
  if (names.indexOf('-') !== names.lastIndexOf('-')) {
    throw new CommandFailure('Standard input (-) can be read only once.');
  }
  const open = async (name: string): Promise<InputSource[]> => {
    if (client && isS3Name(name)) return await findS3Objects(name, client);
    return [name === '-' ? standardInput() : await readableFile(name)];
  };
  const files = (await Promise.all(names.map(open))).flat();
  const sizes = files.map(({ bytes }) => bytes);
  return {
    totalBytes: sizes.reduce(
      (sum, bytes) => (sum === undefined || bytes === undefined ? undefined : sum + bytes),
      0,
    ),
    async *lines(signal) {
      for (const { name, chunks } of files) {
        for await (const read of readLines(chunks(signal))) {
          yield files.length > 1 ? { file: name, read } : { read };
        }
      }
    },
    files,
    includes: ({ dev, ino }) => files.some(({ file }) => file?.dev === dev && file.ino === ino),
  };
}

function standardInput(): InputSource {
  const stats = fstatSync(process.stdin.fd);
  return sourceOf('-', stats);
}

async function readableFile(name: string): Promise<InputSource> {
  try {
    const stats = await stat(name);
    if (stats.isDirectory()) throw new Error('it is a folder');
    await access(name, constants.R_OK);
    return sourceOf(name, stats);
  } catch (error) {
    throw new CommandFailure(`${name} cannot be read: ${messageOf(error)}`);
  }
}

function sourceOf(name: string, stats: Stats): InputSource {
  const { dev, ino, size } = stats;
  const bytes = stats.isFile() ? size : undefined;
  return { name, bytes, file: { dev, ino }, chunks: (signal) => chunksOf(name, signal) };
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
