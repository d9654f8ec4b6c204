import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { beforeEach, describe, expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { createGate, makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';
import { makeQueueFolder, type QueueFolder } from '../support/queue/queue-folder.ts';
import { filesIn, writeByHand } from '../support/store/folder.ts';
import { describeQueue } from './queue-contract.ts';

let folder: QueueFolder;
beforeEach(async () => {
  folder = await makeQueueFolder();
});

describeQueue('the local queue in a folder', async () => ({
  queue: folder.openQueue(),
  reopen: () => folder.openQueue(),
  deadLetters: async (count) => (await folder.deadLetters(count)).map(({ unit }) => unit),
}));

describe('the local queue', () => {
  it('stores each job as a plain JSON file named after the time it is due', async () => {
    const queue = folder.openQueue({ nowMs: () => Date.parse('2026-01-02T03:04:05Z') });
    await queue.send(makeJobs(2));
    const keys = await folder.keysIn('queue');
    expect(keys).toEqual([
      expect.stringMatching(/^queue\/1767323045000-000000001-[0-9a-f]{12}\.json$/),
      expect.stringMatching(/^queue\/1767323045000-000000002-[0-9a-f]{12}\.json$/),
    ]);
    expect(await folder.contentOf(keys[0] ?? '')).toBe(
      '{"unit":"unit-1","images":2,"retry":false,"attempts":0}',
    );
  });

  it('stores many jobs of one send in files of a hundred, whose names say how many they have', async () => {
    const queue = folder.openQueue({ nowMs: () => Date.parse('2026-01-02T03:04:05Z') });
    await queue.send(makeJobs(250));
    const keys = await folder.keysIn('queue');
    expect(keys.map((key) => Number(/-(\d+)\.json$/.exec(key)?.[1]))).toEqual([100, 100, 50]);
    expect(await queue.depth()).toBe(250);
    expect(await folder.openQueue().depth()).toBe(250);
  });

  it('keeps of the jobs in one file, when it is stopped, those that are not done', async () => {
    await folder.openQueue().send(makeJobs(100));
    const gate = createGate();
    const handle = ({ unit }: { unit: string }) =>
      Number(unit.split('-')[1]) <= 40
        ? undefined
        : gate.opened.then(() => Promise.reject(new Error('stop')));
    const consumer = startConsumer(folder.openQueue(), { handle, concurrency: 10 });
    await consumer.started(50);
    const stopped = consumer.stop();
    gate.open();
    await stopped;
    const next = startConsumer(folder.openQueue());
    await next.started(60);
    await next.stop();
    expect(next.units).toEqual(unitsOf(makeJobs(100)).slice(40));
    expect(await filesIn(folder.root)).toEqual([]);
  });

  it('stores a job that failed among others in one file alone, until it becomes a dead letter', async () => {
    await folder.openQueue().send(makeJobs(30));
    const handle = ({ unit }: { unit: string }) => {
      if (unit === 'unit-7') throw new Error('never');
    };
    const consumer = startConsumer(folder.openQueue({ maxAttempts: 1 }), { handle });
    await folder.deadLetters(1);
    await consumer.until(() => consumer.units.length === 30);
    await consumer.stop();
    const letters = await filesIn(folder.root);
    expect(letters).toEqual([expect.stringMatching(/^dead-letters\/\d{13}-\d{9}-[0-9a-f]{12}\.json$/)]);
    await rename(join(folder.root, 'dead-letters'), join(folder.root, 'queue'));
    const next = startConsumer(folder.openQueue());
    await next.started(1);
    expect(next.units).toEqual(['unit-7']);
  });

  it('removes the file of a job that is done', async () => {
    const queue = folder.openQueue();
    await queue.send(makeJobs(2));
    const consumer = startConsumer(queue);
    await consumer.started(2);
    await consumer.stop();
    expect(await filesIn(folder.root)).toEqual([]);
  });

  it('starts jobs in the order in which they were sent, also by earlier processes', async () => {
    const sent = makeJobs(120);
    for (const start of [0, 40, 80]) await folder.openQueue().send(sent.slice(start, start + 40));
    const consumer = startConsumer(folder.openQueue(), { concurrency: 1 });
    await consumer.started(120);
    expect(consumer.units).toEqual(unitsOf(sent));
  });

  it('does not count a job as failed that a stop interrupts, however often', async () => {
    await folder.openQueue().send(makeJobs(1));
    for (let stops = 0; stops < 5; stops++) {
      const gate = createGate();
      const handle = () => gate.opened.then(() => Promise.reject(new Error('interrupted')));
      const consumer = startConsumer(folder.openQueue({ maxAttempts: 3 }), { handle });
      await consumer.started(1);
      const stopped = consumer.stop();
      gate.open();
      await stopped;
    }
    const [key = ''] = await folder.keysIn('queue');
    expect(JSON.parse(await folder.contentOf(key))).toMatchObject({ attempts: 0 });
    expect(await folder.keysIn('dead-letters')).toEqual([]);
  });

  it('delivers the jobs that were in flight when a process was killed to the next process', async () => {
    const queue = folder.openQueue();
    await queue.send(makeJobs(5));
    const killed = startConsumer(queue, { handle: () => createGate().opened, concurrency: 2 });
    await killed.started(2);
    const next = startConsumer(folder.openQueue(), { concurrency: 1 });
    await next.started(5);
    expect(next.units).toEqual(unitsOf(makeJobs(5)));
  });

  it('finds jobs that another process has sent when all others are done', async () => {
    const queue = folder.openQueue();
    await queue.send(makeJobs(1));
    const gate = createGate();
    const consumer = startConsumer(queue, { handle: () => gate.opened });
    await consumer.started(1);
    await folder.openQueue().send(makeJobs(3).slice(1));
    gate.open();
    await consumer.started(3);
    expect(consumer.units).toEqual(unitsOf(makeJobs(3)));
  });

  it('keeps few of many jobs in memory, and seldom lists the folder', async () => {
    const count = 5000;
    const store = createFileStore({ root: folder.root });
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
    const queue = folder.openQueue({ store: watched });
    await pMap(makeJobs(count), (job) => queue.send([job]), { concurrency: 32 });
    const consumer = startConsumer(queue);
    await consumer.started(count);
    expect(mostInMemory).toBeGreaterThan(100);
    expect(mostInMemory).toBeLessThanOrEqual(1010);
    expect(listings).toBeLessThan(20);
  });

  it('moves damaged jobs to the dead letters and reports them, and does the others', async () => {
    const queue = folder.openQueue();
    await queue.send(makeJobs(4));
    const [empty = '', cut = '', strange = ''] = await folder.keysIn('queue');
    const damaged = [empty, cut, strange];
    await writeByHand(folder.root, empty, '');
    await writeByHand(folder.root, cut, '{"unit":"unit-2","ima');
    await writeByHand(folder.root, strange, '{"unit":"../../etc","images":1,"retry":false,"attempts":0}');
    const consumer = startConsumer(queue);
    await consumer.until(() => consumer.units.length === 1 && consumer.errors.length === 3);
    await consumer.stop();
    expect(consumer.units).toEqual(['unit-4']);
    for (const [index, key] of damaged.entries())
      expect(String(consumer.errors[index]?.error)).toContain(key);
    const deadLetterKeys = damaged.map((key) => key.replace('queue', 'dead-letters'));
    expect(await filesIn(folder.root)).toEqual(deadLetterKeys);
    expect(await folder.contentOf(deadLetterKeys[1] ?? '')).toBe('{"unit":"unit-2","ima');
  });

  it('ignores other files in the folder of the jobs', async () => {
    await writeByHand(folder.root, 'queue/0-notes.json', '{}');
    const queue = folder.openQueue();
    await queue.send(makeJobs(1));
    const consumer = startConsumer(queue);
    await consumer.started(1);
    await consumer.stop();
    expect(consumer.errors).toEqual([]);
    expect(await filesIn(folder.root)).toEqual(['queue/0-notes.json']);
  });
});

describe('the depth of the local queue', () => {
  it('is the number of jobs in the folder, also of other processes', async () => {
    const queue = folder.openQueue();
    expect(await queue.depth()).toBe(0);
    await queue.send(makeJobs(5));
    expect(await queue.depth()).toBe(5);
    const other = folder.openQueue();
    expect(await other.depth()).toBe(5);
    await other.send(makeJobs(3));
    expect(await queue.depth()).toBe(8);
  });

  it('includes the jobs in flight, and is 0 for every process when all jobs are done', async () => {
    const [queue, other] = [folder.openQueue(), folder.openQueue()];
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
