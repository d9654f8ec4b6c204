import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalQueue, type LocalQueueOptions } from '../../src/queue/local-queue.ts';
import type { Job, UnitQueue } from '../../src/queue/queue.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { createGate, makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';
import { filesIn, makeFolder, writeByHand } from '../support/store/folder.ts';
import { describeQueue } from './queue-contract.ts';

let root: string;
beforeEach(async () => {
  root = await makeFolder();
});

function openQueue(options: Partial<LocalQueueOptions> = {}): UnitQueue {
  return createLocalQueue({ store: createFileStore({ root }), retryDelayMs: 1, maxAttempts: 3, ...options });
}

async function keysIn(folder: string): Promise<string[]> {
  return (await filesIn(root)).filter((key) => key.startsWith(`${folder}/`));
}

const contentOf = async (key: string) => await readFile(join(root, key), 'utf8');

/** Returns the dead letters once there are this many. */
async function deadLetters(count: number): Promise<{ unit: string; attempts: number }[]> {
  const keys = await vi.waitFor(async () => {
    const found = await keysIn('dead-letters');
    expect(found).toHaveLength(count);
    return found;
  });
  return await Promise.all(keys.map(async (key) => JSON.parse(await contentOf(key))));
}

function failWithFullDisk(): never {
  throw new Error('the disk is full');
}

describeQueue('the local queue in a folder', async () => ({
  queue: openQueue(),
  reopen: openQueue,
  deadLetters: async (count) => (await deadLetters(count)).map(({ unit }) => unit),
}));

describe('the local queue', () => {
  it('stores each job as a plain JSON file named after the time it is due', async () => {
    const queue = openQueue({ nowMs: () => Date.parse('2026-01-02T03:04:05Z') });
    await queue.send(makeJobs(2));
    const keys = await keysIn('queue');
    expect(keys).toEqual([
      expect.stringMatching(/^queue\/1767323045000-000000001-[0-9a-f]{12}\.json$/),
      expect.stringMatching(/^queue\/1767323045000-000000002-[0-9a-f]{12}\.json$/),
    ]);
    expect(await contentOf(keys[0] ?? '')).toBe('{"unit":"unit-1","images":2,"retry":false,"attempts":0}');
  });

  it('removes the file of a job that is done', async () => {
    const queue = openQueue();
    await queue.send(makeJobs(2));
    const consumer = startConsumer(queue);
    await consumer.started(2);
    await consumer.stop();
    expect(await filesIn(root)).toEqual([]);
  });

  it('starts jobs in the order in which they were sent, also by earlier processes', async () => {
    const sent = makeJobs(120);
    for (const start of [0, 40, 80]) await openQueue().send(sent.slice(start, start + 40));
    const consumer = startConsumer(openQueue(), { concurrency: 1 });
    await consumer.started(120);
    expect(consumer.units).toEqual(unitsOf(sent));
  });

  it('does not count a job as failed that a stop interrupts, however often', async () => {
    await openQueue().send(makeJobs(1));
    for (let stops = 0; stops < 5; stops++) {
      const gate = createGate();
      const handle = () => gate.opened.then(() => Promise.reject(new Error('interrupted')));
      const consumer = startConsumer(openQueue({ maxAttempts: 3 }), { handle });
      await consumer.started(1);
      const stopped = consumer.stop();
      gate.open();
      await stopped;
    }
    const [key = ''] = await keysIn('queue');
    expect(JSON.parse(await contentOf(key))).toMatchObject({ attempts: 0 });
    expect(await keysIn('dead-letters')).toEqual([]);
  });

  it('delivers the jobs that were in flight when a process was killed to the next process', async () => {
    const queue = openQueue();
    await queue.send(makeJobs(5));
    const killed = startConsumer(queue, { handle: () => createGate().opened, concurrency: 2 });
    await killed.started(2);
    const next = startConsumer(openQueue(), { concurrency: 1 });
    await next.started(5);
    expect(next.units).toEqual(unitsOf(makeJobs(5)));
  });

  it('finds jobs that another process has sent when all others are done', async () => {
    const queue = openQueue();
    await queue.send(makeJobs(1));
    const gate = createGate();
    const consumer = startConsumer(queue, { handle: () => gate.opened });
    await consumer.started(1);
    await openQueue().send(makeJobs(3).slice(1));
    gate.open();
    await consumer.started(3);
    expect(consumer.units).toEqual(unitsOf(makeJobs(3)));
  });

  it('keeps few of many jobs in memory, and seldom lists the folder', async () => {
    const count = 5000;
    const store = createFileStore({ root });
    const listed = new Set<string>();
    let listings = 0;
    let mostInMemory = 0;
    const watched: VariantStore = {
      ...store,
      async *list(folder) {
        listings += 1;
        for await (const object of store.list(folder)) {
          listed.add(object.key);
          mostInMemory = Math.max(mostInMemory, listed.size - consumer.units.length);
          yield object;
        }
      },
    };
    const queue = openQueue({ store: watched });
    await queue.send(makeJobs(count));
    const consumer = startConsumer(queue);
    await consumer.started(count);
    expect(mostInMemory).toBeGreaterThan(100);
    expect(mostInMemory).toBeLessThanOrEqual(1010);
    expect(listings).toBeLessThan(20);
  });

  it('moves damaged jobs to the dead letters and reports them, and does the others', async () => {
    const queue = openQueue();
    await queue.send(makeJobs(4));
    const [empty = '', cut = '', strange = ''] = await keysIn('queue');
    const damaged = [empty, cut, strange];
    await writeByHand(root, empty, '');
    await writeByHand(root, cut, '{"unit":"unit-2","ima');
    await writeByHand(root, strange, '{"unit":"../../etc","images":1,"retry":false,"attempts":0}');
    const consumer = startConsumer(queue);
    await consumer.until(() => consumer.units.length === 1 && consumer.errors.length === 3);
    await consumer.stop();
    expect(consumer.units).toEqual(['unit-4']);
    for (const [index, key] of damaged.entries())
      expect(String(consumer.errors[index]?.error)).toContain(key);
    const deadLetterKeys = damaged.map((key) => key.replace('queue', 'dead-letters'));
    expect(await filesIn(root)).toEqual(deadLetterKeys);
    expect(await contentOf(deadLetterKeys[1] ?? '')).toBe('{"unit":"unit-2","ima');
  });

  it('ignores other files in the folder of the jobs', async () => {
    await writeByHand(root, 'queue/0-notes.json', '{}');
    const queue = openQueue();
    await queue.send(makeJobs(1));
    const consumer = startConsumer(queue);
    await consumer.started(1);
    await consumer.stop();
    expect(consumer.errors).toEqual([]);
    expect(await filesIn(root)).toEqual(['queue/0-notes.json']);
  });
});

describe('the depth of the local queue', () => {
  it('is the number of jobs in the folder, also of other processes', async () => {
    const queue = openQueue();
    expect(await queue.depth()).toBe(0);
    await queue.send(makeJobs(5));
    expect(await queue.depth()).toBe(5);
    const other = openQueue();
    expect(await other.depth()).toBe(5);
    await other.send(makeJobs(3));
    expect(await queue.depth()).toBe(8);
  });

  it('includes the jobs in flight, and is 0 for every process when all jobs are done', async () => {
    const [queue, other] = [openQueue(), openQueue()];
    await queue.send(makeJobs(8));
    expect(await other.depth()).toBe(8);
    const gate = createGate();
    const consumer = startConsumer(queue, { handle: () => gate.opened, concurrency: 2 });
    await consumer.started(2);
    expect(await queue.depth()).toBe(8);
    gate.open();
    await consumer.started(8);
    await consumer.stop();
    expect([await queue.depth(), await other.depth()]).toEqual([0, 0]);
  });
});

describe('a job in the local queue that fails', () => {
  it('is delayed longer with each failure, while other jobs are delivered', async () => {
    let now = Date.parse('2030-01-01T09:00:00Z');
    const queue = openQueue({ retryDelayMs: 5000, maxAttempts: 9, nowMs: () => now });
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
    const queue = openQueue();
    await queue.send(makeJobs(1));
    const first = startConsumer(queue, { handle: failWithFullDisk });
    await first.until(() => first.errors.length === 1);
    await first.stop();
    const second = startConsumer(openQueue(), { handle: failWithFullDisk });
    await second.until(() => second.errors.length === 2);
    await second.stop();
    const [key = '', ...others] = await keysIn('dead-letters');
    expect(await contentOf(key)).toBe(
      '{"unit":"unit-1","images":2,"retry":false,"attempts":3,"fault":"Error: the disk is full"}',
    );
    expect([...others, ...(await keysIn('queue'))]).toEqual([]);
  });

  it('is delivered again when its dead letter is moved back', async () => {
    const queue = openQueue({ maxAttempts: 1 });
    await queue.send(makeJobs(1));
    const failing = startConsumer(queue, { handle: failWithFullDisk });
    await deadLetters(1);
    await failing.stop();
    await rename(join(root, 'dead-letters'), join(root, 'queue'));
    const consumer = startConsumer(openQueue());
    await consumer.started(1);
    await consumer.stop();
    expect(await filesIn(root)).toEqual([]);
  });

  it('is delivered immediately when it is due later than any delay allows, since a wrong clock wrote it', async () => {
    const wrong = openQueue({ nowMs: () => Date.parse('2099-01-01T00:00:00Z') });
    await wrong.send(makeJobs(2));
    await startConsumer(openQueue()).started(2);
  });
});

describe('the local queue when its store fails for a while', () => {
  /** Returns a store of which one method fails this often. */
  function createFailingStore(method: 'list' | 'get' | 'delete' | 'put', times: number): VariantStore {
    const store = createFileStore({ root });
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
      await openQueue().send(makeJobs(20));
      const consumer = startConsumer(openQueue({ store: createFailingStore(method, 7) }));
      await consumer.started(20);
      await consumer.stop();
      expect(consumer.units.sort()).toEqual(unitsOf(makeJobs(20)).sort());
      expect(consumer.errors.map(({ error }) => String(error))).toEqual(
        Array.from({ length: 7 }, () => `Error: no ${method}`),
      );
      expect(await filesIn(root)).toEqual([]);
    },
  );

  it('repeats the write of a failure without counting another attempt', async () => {
    await openQueue().send(makeJobs(1));
    const consumer = startConsumer(openQueue({ store: createFailingStore('put', 5) }), {
      handle: () => {
        throw new Error('mine');
      },
    });
    expect(await deadLetters(1)).toMatchObject([{ unit: 'unit-1', attempts: 3 }]);
    expect(consumer.units).toHaveLength(3);
  });

  it('rejects a send that cannot be stored', async () => {
    await expect(openQueue({ store: createFailingStore('put', 1) }).send(makeJobs(3))).rejects.toThrow(
      'no put',
    );
  });

  it('stops although the removal of a job fails, and delivers the job again', async () => {
    await openQueue().send(makeJobs(1));
    const consumer = startConsumer(
      openQueue({ store: createFailingStore('delete', Number.POSITIVE_INFINITY) }),
    );
    await consumer.until(() => consumer.errors.length > 2);
    await consumer.stop();
    const next = startConsumer(openQueue());
    await next.started(1);
    await next.stop();
    expect(await filesIn(root)).toEqual([]);
  });
});
