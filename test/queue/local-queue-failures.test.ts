import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../../src/queue/queue.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';
import { makeQueueFolder, type QueueFolder } from '../support/queue/queue-folder.ts';
import { filesIn } from '../support/store/folder.ts';

let folder: QueueFolder;
beforeEach(async () => {
  folder = await makeQueueFolder();
});

function failWithFullDisk(): never {
  throw new Error('the disk is full');
}

describe('a job in the local queue that fails', () => {
  it('is delayed longer with each failure, while other jobs are delivered', async () => {
    let now = Date.parse('2030-01-01T09:00:00Z');
    const queue = folder.openQueue({ retryDelayMs: 5000, maxAttempts: 9, nowMs: () => now });
    const handle = ({ unit }: Job) => {
      if (unit === 'unit-1') failWithFullDisk();
    };
    const consumer = startConsumer(queue, { handle, concurrency: 1 });
    const doAnother = async () => {
      const before = consumer.count('other');
      await queue.send([{ unit: 'other', images: 1, retry: false }]);
      await consumer.until(() => consumer.count('other') > before);
    };
    await queue.send(makeJobs(1));
    await consumer.started(1);
    for (const [index, delayMs] of [5000, 10_000, 20_000, 40_000].entries()) {
      const failures = index + 1;
      await doAnother();
      now += delayMs - 1;
      await doAnother();
      expect(consumer.count('unit-1')).toBe(failures);
      now += 1;
      await doAnother();
      await consumer.until(() => consumer.count('unit-1') > failures);
    }
  });

  it('becomes a dead letter after as many failures as allowed, those before a restart included', async () => {
    const queue = folder.openQueue();
    await queue.send(makeJobs(1));
    const first = startConsumer(queue, { handle: failWithFullDisk });
    await first.until(() => first.errors.length === 1);
    await first.stop();
    const second = startConsumer(folder.openQueue(), { handle: failWithFullDisk });
    await second.until(() => second.errors.length === 2);
    await second.stop();
    const [key = '', ...others] = await folder.keysIn('dead-letters');
    expect(await folder.contentOf(key)).toBe(
      '{"unit":"unit-1","images":2,"retry":false,"attempts":3,"fault":"Error: the disk is full"}',
    );
    expect([...others, ...(await folder.keysIn('queue'))]).toEqual([]);
  });

  it('is told to be given up before it becomes a dead letter, and again until that succeeds', async () => {
    const queue = folder.openQueue({ maxAttempts: 1, retryDelayMs: 1 });
    const givenUp: string[] = [];
    await queue.send(makeJobs(1));
    const consumer = startConsumer(queue, {
      handle: failWithFullDisk,
      onGiveUp: async ({ unit }, error) => {
        givenUp.push(`${unit}: ${error}, ${(await folder.keysIn('dead-letters')).length} dead letters`);
        if (givenUp.length < 3) throw new Error('nobody listens');
      },
    });
    await folder.deadLetters(1);
    await consumer.stop();
    expect(givenUp).toEqual(Array(3).fill('unit-1: Error: the disk is full, 0 dead letters'));
  });

  it('is delivered again when its dead letter is moved back', async () => {
    const queue = folder.openQueue({ maxAttempts: 1 });
    await queue.send(makeJobs(1));
    const failing = startConsumer(queue, { handle: failWithFullDisk });
    await folder.deadLetters(1);
    await failing.stop();
    await rename(join(folder.root, 'dead-letters'), join(folder.root, 'queue'));
    // Even with no attempt left.
    const consumer = startConsumer(folder.openQueue({ maxAttempts: 1 }));
    await consumer.started(1);
    await consumer.stop();
    expect(await filesIn(folder.root)).toEqual([]);
  });

  it('is delivered immediately when it is due later than any delay allows, since a wrong clock wrote it', async () => {
    const wrong = folder.openQueue({ nowMs: () => Date.parse('2099-01-01T00:00:00Z') });
    await wrong.send(makeJobs(2));
    const consumer = startConsumer(folder.openQueue());
    await consumer.started(2);
    expect(consumer.units.sort()).toEqual(unitsOf(makeJobs(2)));
  });
});

describe('the local queue when its store fails for a while', () => {
  /** Returns a store of which one method fails this often. */
  function createFailingStore(method: 'list' | 'get' | 'delete' | 'put', times: number): VariantStore {
    const store = createFileStore({ root: folder.root });
    let left = times;
    return {
      ...store,
      [method]: (...args: never[]) => {
        if (left > 0) {
          left -= 1;
          throw new Error(`no ${method}`);
        }
        return (store[method] as (...some: never[]) => unknown)(...args);
      },
    };
  }

  it.each(['list', 'get', 'delete'] as const)(
    'reports each %s that fails, and neither loses nor repeats a job',
    async (method) => {
      await folder.openQueue().send(makeJobs(19));
      const consumer = startConsumer(folder.openQueue({ store: createFailingStore(method, 7) }));
      await consumer.started(19);
      await consumer.stop();
      expect(consumer.units.sort()).toEqual(unitsOf(makeJobs(19)).sort());
      expect(consumer.errors.map(({ error }) => String(error))).toEqual(
        Array.from({ length: 7 }, () => `Error: no ${method}`),
      );
      expect(await filesIn(folder.root)).toEqual([]);
    },
  );

  it('repeats the write of a failure without counting another attempt', async () => {
    await folder.openQueue().send(makeJobs(1));
    const consumer = startConsumer(folder.openQueue({ store: createFailingStore('put', 5) }), {
      handle: () => {
        throw new Error('mine');
      },
    });
    expect(await folder.deadLetters(1)).toMatchObject([{ unit: 'unit-1', attempts: 3 }]);
    expect(consumer.units).toHaveLength(3);
  });

  it('rejects a send that cannot be stored', async () => {
    await expect(folder.openQueue({ store: createFailingStore('put', 1) }).send(makeJobs(3))).rejects.toThrow(
      'no put',
    );
  });

  it('stops although the removal of a job fails, and delivers the job again', async () => {
    await folder.openQueue().send(makeJobs(1));
    const consumer = startConsumer(
      folder.openQueue({ store: createFailingStore('delete', Number.POSITIVE_INFINITY) }),
    );
    await consumer.until(() => consumer.errors.length > 2);
    await consumer.stop();
    const next = startConsumer(folder.openQueue());
    await next.started(1);
    await next.stop();
    expect(await filesIn(folder.root)).toEqual([]);
  });
});
