import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { CommandFailure } from './command-failure.ts';
import type { LineInput } from './line-input.ts';

/** Where lines go: NDJSON, or text. */
export interface LineOutput {
  /** @param line - without its end */
  write(line: string): void;
  /**
   * Ends when there is room for more: whoever asks before going on keeps no more in memory than that.
   *
   * @throws CommandFailure when nothing can be written there any more
   */
  room(): Promise<void>;
  /** Ends when all is written, and throws like `room`. */
  close(): Promise<void>;
}

/**
 * Begins a file anew.
 *
 * @param option - what the user gave its name as, such as `--report`
 * @param input - what it must not be
 * @throws CommandFailure when it cannot be written
 */
export async function openLineFile(option: string, path: string, input: LineInput): Promise<LineOutput> {
  const fail = (error: unknown): never => {
    throw new CommandFailure(`${option}: ${path} cannot be written: ${(error as Error).message}`);
  };
  // Not emptied before it is known not to be the input.
  const file = await open(path, 'a').catch(fail);
  const stats = await file.stat();
  if (input.includes(stats)) {
    await file.close();
    throw new CommandFailure(`${option}: ${path} is what is to be read.`);
  }
  // A device or a pipe has nothing to empty.
  if (stats.isFile()) await file.truncate().catch(fail);
  const stream = file.createWriteStream();
  const output = createOutput(stream, fail);
  return {
    ...output,
    async close() {
      stream.end();
      await finished(stream).catch(fail);
    },
  };
}

/** Standard output. Once nobody reads it any more, `isClosed` says so, and what is written there is dropped. */
export function standardOutput(): LineOutput & { isClosed(): boolean } {
  let isClosed = false;
  const fail = (error: unknown) => {
    isClosed = isClosedPipe(error);
    if (!isClosed) throw new CommandFailure(`Nothing can be printed: ${(error as Error).message}`);
  };
  return { ...createOutput(process.stdout, fail), close: async () => {}, isClosed: () => isClosed };
}

/** Whether whoever read our output has stopped: `| head` does, and it is no fault. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

function createOutput(stream: Writable, fail: (error: unknown) => void): Pick<LineOutput, 'write' | 'room'> {
  let fault: unknown;
  let proceed = () => {};
  stream.on('error', (error) => {
    fault = error;
    proceed();
  });
  stream.on('drain', () => proceed());
  return {
    write(line) {
      if (fault === undefined) stream.write(`${line}\n`);
    },
    async room() {
      if (fault === undefined && stream.writableNeedDrain) {
        await new Promise<void>((resolve) => {
          proceed = resolve;
        });
      }
      if (fault !== undefined) fail(fault);
    },
  };
}
