import type { Readable } from 'node:stream';

/** More waits only while nobody reads. */
const MAX_WAITING_BYTES = 65_536;

/**
 * Passes on what a child process writes to its standard error, and drops it while nobody reads.
 *
 * A child that inherited ours would make this process block: Node sets what it passes on, and at the child's end again, to blocking mode, and
 * the mode belongs to the pipe or socket, not to a process. Standard output is often the same one. See `O_NONBLOCK` in open(2).
 *
 * @param childStderr - does not keep this process running
 */
export function forwardToStandardError(childStderr: Readable): void {
  ignoreErrors();
  childStderr.on('data', (bytes: Buffer) => {
    if (process.stderr.writableLength < MAX_WAITING_BYTES) process.stderr.write(bytes);
  });
  if ('unref' in childStderr) (childStderr as Readable & { unref(): void }).unref();
}

/** Nobody may read it any more. */
function ignoreErrors(): void {
  if (!process.stderr.listeners('error').includes(ignore)) process.stderr.on('error', ignore);
}

function ignore(): void {}
