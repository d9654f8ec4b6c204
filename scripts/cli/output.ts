import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, isClosedPipe, messageOf } from './command.ts';
import type { LineInput } from './input.ts';

/** Prints a line for the user to standard error: standard output is for results. */
export function printMessage(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A destination of lines: NDJSON, or text. */
export interface LineOutput {
  /** @param line - without its line feed */
  write(line: string): void;
  /**
   * Resolves when the stream has room for more, like `WritableStreamDefaultWriter.ready`: a caller that awaits it before it goes on
   * buffers no more than the stream's high-water mark.
   *
   * @throws CommandFailure when the output cannot be written any more
   */
  ready(): Promise<void>;
  /**
   * Resolves when all lines are written.
   *
   * @throws CommandFailure like `ready`
   */
  close(): Promise<void>;
}

/**
 * Opens a file for writing and truncates it.
 *
 * @param option - the option that names the file, such as `--report`, for messages
 * @param input - the input of the command, which the file must not be
 * @throws CommandFailure when it is part of the input, or cannot be written
 */
export async function openLineFile(option: string, path: string, input: LineInput): Promise<LineOutput> {
  const fail = (error: unknown): never => {
    throw new CommandFailure(`${option}: ${path} cannot be written: ${messageOf(error)}`);
  };
  // Opened to append: it must not be truncated before it is known not to be the input.
  const file = await open(path, 'a').catch(fail);
  const stats = await file.stat();
  if (input.includes(stats)) {
    await file.close();
    throw new CommandFailure(`${option}: ${path} is an input file, and cannot be the output too.`);
  }
  // A device or a pipe cannot be truncated.
  if (stats.isFile()) await file.truncate().catch(fail);
  const stream = file.createWriteStream();
  const { write, ready } = createLineWriter(stream, fail);
  return {
    write,
    ready,
    async close() {
      stream.end();
      await finished(stream).catch(fail);
    },
  };
}

/** Standard output. Once its reader is gone, `isClosed` returns true and lines are dropped. */
export function standardOutput(): LineOutput & { isClosed(): boolean } {
  let isClosed = false;
  const fail = (error: unknown) => {
    isClosed = isClosedPipe(error);
    if (!isClosed) throw new CommandFailure(`Standard output cannot be written: ${messageOf(error)}`);
  };
  const { write, ready, detach } = createLineWriter(process.stdout, fail);
  return { write, ready, close: async () => detach(), isClosed: () => isClosed };
}

/** @param fail - called by `ready` with the error of the stream; when it returns, lines are dropped */
function createLineWriter(stream: Writable, fail: (error: unknown) => void) {
  let streamError: unknown;
  let resume = () => {};
  const onError = (error: unknown) => {
    streamError = error;
    resume();
  };
  const onDrain = () => resume();
  stream.on('error', onError);
  stream.on('drain', onDrain);
  return {
    write(line: string): void {
      if (streamError === undefined) stream.write(`${line}\n`);
    },
    async ready(): Promise<void> {
      if (streamError === undefined && stream.writableNeedDrain) {
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
      }
      if (streamError !== undefined) fail(streamError);
    },
    /** Removes the listeners from a stream that outlives the command. */
    detach(): void {
      stream.off('error', onError);
      stream.off('drain', onDrain);
    },
  };
}

/**
 * Waits where the user can see it: on a terminal the seconds count down, elsewhere one line says how many there are.
 *
 * @param reason - why it waits, as the beginning of a sentence
 * @param signal - ends the wait early
 */
export async function countDown(seconds: number, reason: string, signal?: AbortSignal): Promise<void> {
  const { stderr } = process;
  if (seconds > 0 && !stderr.isTTY) printMessage(`${reason}: ${seconds} s`);
  for (let left = seconds; left > 0 && !signal?.aborted; left--) {
    if (stderr.isTTY) stderr.write(`\r${reason}: ${left} s\u001b[K`);
    await sleep(1000, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
  if (seconds > 0 && stderr.isTTY) stderr.write('\r\u001b[K');
}
