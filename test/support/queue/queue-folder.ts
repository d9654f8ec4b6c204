import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { createLocalQueue, type LocalQueueOptions } from '../../../src/queue/local-queue.ts';
import type { UnitQueue } from '../../../src/queue/queue.ts';
import { createFileStore } from '../../../src/store/file-store.ts';
import { filesIn, makeFolder } from '../store/folder.ts';

/** An empty folder for local queues. */
export interface QueueFolder {
  root: string;
  /** Opens a queue in the folder, as another process would. It gives up on a job after three failures, 1 ms and 2 ms apart. */
  openQueue(options?: Partial<LocalQueueOptions>): UnitQueue;
  /** Returns the keys with this prefix, such as `queue`. */
  keysIn(prefix: string): Promise<string[]>;
  contentOf(key: string): Promise<string>;
  /** Resolves with the dead letters once there are this many. */
  deadLetters(count: number): Promise<{ unit: string; attempts: number }[]>;
}

export async function makeQueueFolder(): Promise<QueueFolder> {
  const root = await makeFolder();
  const keysIn = async (prefix: string) =>
    (await filesIn(root)).filter((key) => key.startsWith(`${prefix}/`));
  const contentOf = async (key: string) => await readFile(join(root, key), 'utf8');
  return {
    root,
    keysIn,
    contentOf,
    openQueue: (options = {}) =>
      createLocalQueue({ store: createFileStore({ root }), retryDelayMs: 1, maxAttempts: 3, ...options }),
    async deadLetters(count) {
      const keys = await vi.waitFor(async () => {
        const found = await keysIn('dead-letters');
        expect(found).toHaveLength(count);
        return found;
      });
      return await Promise.all(keys.map(async (key) => JSON.parse(await contentOf(key))));
    },
  };
}
