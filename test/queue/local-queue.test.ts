import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
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

async function deadLetters(count: number): Promise<{ unit: string; attempts: number }[]> {
  const keys = await vi.waitFor(async () => {
    const found = await keysIn('dead-letters');
    expect(found).toHaveLength(count);
    return found;
  });
  return await Promise.all(keys.map(async (key) => JSON.parse(await readFile(join(root, key), 'utf8'))));
}

describeQueue('a folder', async () => ({
  queue: openQueue(),
  reopen: openQueue,
  deadLetters: async (count) => (await deadLetters(count)).map(({ unit }) => unit),
}));

test('a job is a plain file, and goes when it is done', async () => {
  const queue = openQueue();
  await queue.send(makeJobs(2));
  const [key = '', ...others] = await keysIn('queue');
  expect(others).toHaveLength(1);
  expect(JSON.parse(await readFile(join(root, key), 'utf8'))).toMatchObject({ unit: 'unit-1', images: 2 });
  const consumer = startConsumer(queue);
  await consumer.begun(2);
  await consumer.stop();
  expect(await filesIn(root)).toEqual([]);
});

test('jobs are begun in the order in which they were sent, over restarts too', async () => {
  const sent = makeJobs(120);
  for (const from of [0, 40, 80]) await openQueue().send(sent.slice(from, from + 40));
  const consumer = startConsumer(openQueue(), { concurrency: 1 });
  await consumer.begun(120);
  expect(consumer.units).toEqual(unitsOf(sent));
});

test('a job that stops cut short, however often, has not failed', async () => {
  await openQueue().send(makeJobs(1));
  for (let stops = 0; stops < 5; stops++) {
    const gate = createGate();
    const handle = () => gate.passed.then(() => Promise.reject(new Error('cut short')));
    const consumer = startConsumer(openQueue({ maxAttempts: 3 }), { handle });
    await consumer.begun(1);
    const stopped = consumer.stop();
    gate.open();
    await stopped;
  }
  const [key = ''] = await keysIn('queue');
  expect(JSON.parse(await readFile(join(root, key), 'utf8'))).toMatchObject({ attempts: 0 });
  expect(await keysIn('dead-letters')).toEqual([]);
});

test('what a process had in hand when it was killed is there at the next start', async () => {
  const queue = openQueue();
  await queue.send(makeJobs(5));
  const killed = startConsumer(queue, { handle: () => createGate().passed, concurrency: 2 });
  await killed.begun(2);
  const next = startConsumer(openQueue(), { concurrency: 1 });
  await next.begun(5);
  expect(next.units).toEqual(unitsOf(makeJobs(5)));
});

test('what another process sent meanwhile is found when all else is done', async () => {
  const queue = openQueue();
  await queue.send(makeJobs(1));
  const gate = createGate();
  const consumer = startConsumer(queue, { handle: () => gate.passed });
  await consumer.begun(1);
  await openQueue().send(makeJobs(3).slice(1));
  gate.open();
  await consumer.begun(3);
  expect(consumer.units).toEqual(unitsOf(makeJobs(3)));
});

test('however many jobs wait, few of them are in memory, and their folder is listed now and then only', async () => {
  const count = 5000;
  const store = createFileStore({ root });
  const listed = new Set<string>();
  let listings = 0;
  let most = 0;
  const watched: VariantStore = {
    ...store,
    async *list(folder) {
      listings += 1;
      for await (const object of store.list(folder)) {
        listed.add(object.key);
        most = Math.max(most, listed.size - consumer.units.length);
        yield object;
      }
    },
  };
  const queue = openQueue({ store: watched });
  await queue.send(makeJobs(count));
  const consumer = startConsumer(queue);
  await consumer.begun(count);
  expect(most).toBeGreaterThan(100);
  expect(most).toBeLessThanOrEqual(1010);
  expect(listings).toBeLessThan(20);
});

describe('a job that fails', () => {
  const atNine = Date.parse('2030-01-01T09:00:00Z');
  const fail = () => {
    throw new Error('the disk is full');
  };

  test('waits, longer each time, while others have their turn', async () => {
    let now = atNine;
    const queue = openQueue({ retryDelayMs: 5000, maxAttempts: 9, nowMs: () => now });
    const handle = ({ unit }: Job) => {
      if (unit === 'unit-1') fail();
    };
    const consumer = startConsumer(queue, { handle, concurrency: 1 });
    const doAnother = async () => {
      const before = consumer.count('other');
      await queue.send([{ unit: 'other', images: 1, retry: false }]);
      await consumer.until(() => consumer.count('other') > before);
    };
    await queue.send(makeJobs(1));
    await consumer.begun(1);
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

  test('is not forgiven by a restart, and can be had back from the dead letters', async () => {
    const queue = openQueue();
    await queue.send(makeJobs(1));
    const first = startConsumer(queue, { handle: fail });
    await first.until(() => first.faults.length === 1);
    await first.stop();
    const second = startConsumer(openQueue(), { handle: fail });
    await second.until(() => second.faults.length === 2);
    await second.stop();
    expect(await deadLetters(1)).toEqual([
      { unit: 'unit-1', images: 2, retry: false, attempts: 3, fault: 'Error: the disk is full' },
    ]);
    expect(await keysIn('queue')).toEqual([]);

    await rename(join(root, 'dead-letters'), join(root, 'queue'));
    const third = startConsumer(openQueue());
    await third.begun(1);
    await third.stop();
    expect(await filesIn(root)).toEqual([]);
  });

  test('waits for its time also when the clock was wrong before', async () => {
    const wrong = openQueue({ nowMs: () => Date.parse('2099-01-01T00:00:00Z') });
    await wrong.send(makeJobs(2));
    await startConsumer(openQueue()).begun(2);
  });
});

test('a job that is damaged is laid aside and reported, and the others are done', async () => {
  const queue = openQueue();
  await queue.send(makeJobs(4));
  const keys = await keysIn('queue');
  const [empty = '', cut = '', strange = ''] = keys;
  await writeByHand(root, empty, '');
  await writeByHand(root, cut, '{"unit":"unit-2","ima');
  await writeByHand(root, strange, '{"unit":"../../etc","images":1,"retry":false,"attempts":0}');
  await writeByHand(root, 'queue/0-notes.json', '{}');
  const consumer = startConsumer(queue);
  await consumer.until(() => consumer.units.length === 1 && consumer.faults.length === 3);
  await consumer.stop();
  expect(consumer.units).toEqual(['unit-4']);
  for (const [index, key] of [empty, cut, strange].entries()) {
    expect(String(consumer.faults[index]?.fault)).toContain(key);
  }
  expect(await filesIn(root)).toEqual([
    ...[empty, cut, strange].map((key) => key.replace('queue', 'dead-letters')),
    'queue/0-notes.json',
  ]);
  expect(await readFile(join(root, cut.replace('queue', 'dead-letters')), 'utf8')).toBe(
    '{"unit":"unit-2","ima',
  );
});

describe('a store that fails for a while', () => {
  /** A store whose method fails so many times. */
  function failing(method: 'list' | 'get' | 'delete' | 'put', times: number): VariantStore {
    const store = createFileStore({ root });
    let left = times;
    const proxy = {
      ...store,
      [method]: (...args: never[]) => {
        if (left > 0) {
          left -= 1;
          throw new Error(`no ${method}`);
        }
        return (store[method] as (...some: never[]) => unknown)(...args);
      },
    };
    return proxy;
  }

  test.each(['list', 'get', 'delete'] as const)(
    'at a %s is reported, and no job is lost or done twice for it',
    async (method) => {
      await openQueue().send(makeJobs(20));
      const consumer = startConsumer(openQueue({ store: failing(method, 7) }));
      await consumer.begun(20);
      await consumer.stop();
      expect(consumer.units.sort()).toEqual(unitsOf(makeJobs(20)).sort());
      expect(consumer.faults.map(({ fault }) => String(fault))).toEqual(
        Array.from({ length: 7 }, () => `Error: no ${method}`),
      );
      expect(await filesIn(root)).toEqual([]);
    },
  );

  test('at what is to be written down of a failure is reported, and costs the job none of its attempts', async () => {
    await openQueue().send(makeJobs(1));
    const consumer = startConsumer(openQueue({ store: failing('put', 5) }), {
      handle: () => {
        throw new Error('mine');
      },
    });
    expect(await deadLetters(1)).toMatchObject([{ unit: 'unit-1', attempts: 3 }]);
    expect(consumer.units).toHaveLength(3);
  });

  test('at a send makes it fail', async () => {
    await expect(openQueue({ store: failing('put', 1) }).send(makeJobs(3))).rejects.toThrow('no put');
  });

  test('keeps no consumer from stopping, and what it could not write down comes again', async () => {
    await openQueue().send(makeJobs(1));
    const consumer = startConsumer(openQueue({ store: failing('delete', Number.POSITIVE_INFINITY) }));
    await consumer.until(() => consumer.faults.length > 2);
    await consumer.stop();
    const next = startConsumer(openQueue());
    await next.begun(1);
    await next.stop();
    expect(await filesIn(root)).toEqual([]);
  });
});

test('the depth is that of the folder, and right again when somebody else has changed that', async () => {
  const queue = openQueue();
  expect(await queue.depth()).toBe(0);
  await queue.send(makeJobs(5));
  expect(await queue.depth()).toBe(5);
  const other = openQueue();
  expect(await other.depth()).toBe(5);
  await other.send(makeJobs(3));
  expect(await queue.depth()).toBe(8);
  const gate = createGate();
  const consumer = startConsumer(queue, { handle: () => gate.passed, concurrency: 2 });
  await consumer.begun(2);
  expect(await queue.depth()).toBe(8);
  gate.open();
  await consumer.begun(8);
  await consumer.stop();
  expect([await queue.depth(), await other.depth()]).toEqual([0, 0]);
});
