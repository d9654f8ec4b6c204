import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Sender, SendResult } from './sender.ts';

const LINE_FEED = 0x0a;

/**
 * Appends each event to a file as a line (NDJSON), with one write, and flushes it to the disk. The file is opened anew once it was moved away
 * or removed, as by `logrotate`.
 */
export function createFileSender(path: string): Sender {
  let file: FileHandle | undefined;

  /** After a write that was cut off, as on a full disk, the rest of a line stays: what follows begins a new one. */
  async function append(body: string): Promise<void> {
    if (file && !(await isAt(path, file))) {
      const old = file;
      // First: if the new one cannot be opened, the next event opens it.
      file = undefined;
      await old.close();
    }
    // Readable too, so that its last byte can be looked at.
    file ??= await open(path, 'a+');
    const { size } = await file.stat();
    const line = Buffer.from(`${(await endsInLine(file, size)) ? '' : '\n'}${body}\n`);
    const { bytesWritten } = await file.write(line);
    if (bytesWritten < line.length) throw new Error('only a part of a line could be written');
    await file.datasync();
  }

  return {
    // Lines stay in the order of the events.
    concurrency: 1,
    async send({ body }) {
      try {
        await append(body);
        return { state: 'delivered' };
      } catch (error) {
        return { state: 'failed', reason: (error as Error).message };
      }
    },
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

/** Whether a file is the one at this path. */
async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const [opened, named] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return named !== undefined && opened.dev === named.dev && opened.ino === named.ino;
}

/** @param size - of the file */
async function endsInLine(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === LINE_FEED;
}

/** Writes each event to standard output as a line, between what else is written there. */
export function createStdoutSender(stream: NodeJS.WritableStream = process.stdout): Sender {
  return {
    concurrency: 1,
    send: ({ body }) =>
      new Promise<SendResult>((resolve) => {
        stream.write(`${body}\n`, (error) =>
          resolve(error ? { state: 'failed', reason: error.message } : { state: 'delivered' }),
        );
      }),
    close: async () => undefined,
  };
}
