import { fstatSync, write, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { sleep } from '../backoff.ts';

// Not `pino.destination`: its exit waits for ever for a reader that is gone or a disk that is full, a full disk ends the process, and
// writing to a pipe that nobody reads occupies a thread that no exit can end.

export interface LogOutputOptions {
  /** Lines are written in batches of at least so many bytes, or after `flushMs`. */
  minBytes: number;
  /** The most bytes of a write, unless one line is longer. */
  maxBytes: number;
  flushMs: number;
  /** The most bytes of lines that wait to be written. Further lines are dropped. */
  bufferBytes: number;
}

/** Standard output as a destination of log lines, in memory that is bounded, whatever becomes of the reader. */
export interface LogOutput {
  /** @param line - with its line break */
  write(line: string): void;
  /** Writes the lines of another process. While there is no room for more, nothing is read from it, so that it drops lines itself. */
  forward(lines: Readable): void;
  /** Returns the number of lines so far that were dropped, because the log could not be written, or not as fast. */
  droppedLines(): number;
  /** Sets what is called when the log can be written again, with the lines that were dropped since the last call. */
  onRecovered(listener: (dropped: LostLines) => void): void;
  /** Resolves when all lines are written, those of ended processes included, or after a time. */
  flush(maxMs: number): Promise<void>;
  /** Writes all lines that standard output takes at once: for the end of the process. */
  flushSync(): void;
}

export interface LostLines {
  count: number;
  /** Why the log could not be written, such as `ENOSPC`; `slow reader` without an error. */
  reason: string;
}

const STDOUT = 1;
/** How long after a failed write the next one is tried. */
const RETRY_MS = 1000;
/** How long a write to a file takes at most that does not hang. */
const STUCK_MS = 900;
/** What another process writes without a line break is divided into lines of this many characters or a little more. */
const MAX_LINE_LENGTH = 2 ** 20;
/** How often the buffer is looked at, by what waits for it. */
const POLL_MS = 10;

/** Returns a destination for standard output. There must not be two. */
export function createLogOutput(options: LogOutputOptions): LogOutput {
  const { minBytes, bufferBytes, flushMs } = options;
  const batches = createBatches(options);
  const { isPipe, send } = openStandardOutput();
  const losses = createLossCount();
  let inFlight: { bytes: Buffer; sinceMs: number } | undefined;
  /** Whether the last write failed, and the next one is not due yet. */
  let isFailing = false;
  /** Processes whose lines have not ended. */
  let forwarded = 0;

  function writeNext(): void {
    if (inFlight || isFailing) return;
    const bytes = batches.take();
    if (!bytes) return;
    inFlight = { bytes, sinceMs: performance.now() };
    send(bytes, (error, written) => {
      inFlight = undefined;
      if (written < bytes.byteLength) batches.putBack(bytes.subarray(written));
      if (error) waitAfter(error);
      else onWritten();
    });
  }

  function onWritten(): void {
    if (batches.bytes() < bufferBytes / 2) losses.report();
    if (batches.bytes() >= minBytes) writeNext();
  }

  function waitAfter(error: NodeJS.ErrnoException): void {
    losses.explain(error.code ?? error.message);
    isFailing = true;
    setTimeout(() => {
      isFailing = false;
      writeNext();
    }, RETRY_MS).unref();
  }

  function writeLine(line: string): void {
    if (!batches.add(line)) losses.add();
    else if (batches.bytes() >= minBytes) writeNext();
  }

  async function forwardLines(stream: Readable): Promise<void> {
    let rest = '';
    for await (const text of stream.setEncoding('utf8')) {
      const lines = (rest + text).split('\n');
      rest = lines.at(-1) ?? '';
      if (rest.length <= MAX_LINE_LENGTH) lines.pop();
      else rest = '';
      for (const line of lines) writeLine(`${line}\n`);
      while (batches.bytes() > bufferBytes / 2) await sleep(POLL_MS);
    }
    if (rest !== '') writeLine(`${rest}\n`);
  }

  setInterval(writeNext, flushMs).unref();
  return {
    write: writeLine,
    forward(lines) {
      forwarded += 1;
      void forwardLines(lines)
        .catch((error: Error) => losses.explain(error.message))
        .finally(() => {
          forwarded -= 1;
        });
    },
    droppedLines: losses.total,
    onRecovered: losses.onReport,
    async flush(maxMs) {
      const start = performance.now();
      writeNext();
      while (
        (inFlight || batches.bytes() > 0 || forwarded > 0) &&
        !isFailing &&
        performance.now() - start < maxMs
      ) {
        await sleep(POLL_MS);
        writeNext();
      }
    },
    flushSync() {
      // A pipe with a write in flight is full, and what of it was written is not known.
      if (isPipe && inFlight) return;
      // Nothing else ends a thread that writes to a disk that hangs, or to a terminal that is stopped, and the exit waits for it.
      if (inFlight && performance.now() - inFlight.sinceMs > STUCK_MS) process.kill(process.pid, 'SIGKILL');
      for (let batch = batches.take(); batch; batch = batches.take()) {
        if (!writeWhole(batch)) return;
      }
    },
  };
}

/** Counts lines that were dropped, and reports them once. */
function createLossCount() {
  let dropped = 0;
  let reported = 0;
  let reason: string | undefined;
  let listener: (lost: LostLines) => void = () => {};
  return {
    add(): void {
      dropped += 1;
    },
    explain(fault: string): void {
      reason = fault;
    },
    total: () => dropped,
    onReport(onLost: typeof listener): void {
      listener = onLost;
    },
    report(): void {
      const count = dropped - reported;
      reported = dropped;
      if (count > 0) listener({ count, reason: reason ?? 'slow reader' });
      reason = undefined;
    },
  };
}

type Send = (bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void) => void;

/**
 * Pipes and sockets are written to by the event loop, without blocking: a write by the thread pool would keep its thread, and the process
 * from ending, until someone reads. Anything else is written to by the thread pool: the event loop must not wait for a disk.
 */
function openStandardOutput(): { isPipe: boolean; send: Send } {
  const stats = fstatSync(STDOUT);
  const isPipe = stats.isFIFO() || stats.isSocket();
  if (!isPipe) return { isPipe, send: (bytes, done) => write(STDOUT, bytes, done) };
  process.stdout.on('error', () => {});
  const send: Send = (bytes, done) => {
    process.stdout.write(bytes, (error) => (error ? done(error, 0) : done(null, bytes.byteLength)));
  };
  return { isPipe, send };
}

/** Returns whether all was written. */
function writeWhole(bytes: Buffer): boolean {
  try {
    for (let start = 0; start < bytes.byteLength; start += writeSync(STDOUT, bytes, start));
    return true;
  } catch {
    return false;
  }
}

/** Lines that wait, joined to batches. */
function createBatches({ maxBytes, bufferBytes }: LogOutputOptions) {
  const waiting: (string | Buffer)[] = [];
  let total = 0;
  let lastBytes = 0;
  return {
    bytes: () => total,
    /** Returns `false` if there is no room for the line. */
    add(line: string): boolean {
      const bytes = Buffer.byteLength(line);
      if (total + bytes > bufferBytes) return false;
      total += bytes;
      const last = waiting.at(-1);
      if (typeof last === 'string' && lastBytes + bytes <= maxBytes) {
        waiting[waiting.length - 1] = last + line;
        lastBytes += bytes;
      } else {
        waiting.push(line);
        lastBytes = bytes;
      }
      return true;
    },
    take(): Buffer | undefined {
      const first = waiting.shift();
      if (first === undefined) return undefined;
      const batch = typeof first === 'string' ? Buffer.from(first) : first;
      total -= batch.byteLength;
      return batch;
    },
    /** Puts back the rest of a batch, as the next one. */
    putBack(rest: Buffer): void {
      waiting.unshift(rest);
      total += rest.byteLength;
    },
  };
}
