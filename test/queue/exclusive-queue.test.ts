import { expect, test } from 'vitest';
import { createExclusiveQueue } from '../../src/queue/exclusive-queue.ts';
import { createLocalQueue } from '../../src/queue/local-queue.ts';
import { makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';
import { createMemoryStore } from '../support/store/memory-store.ts';

/** Queues of several servers in one store. */
function setUp() {
  const store = createMemoryStore();
  const clock = { nowMs: Date.now() };
  const nowMs = () => clock.nowMs;
  return {
    clock,
    createQueue({ renewMs = 5 } = {}) {
      const changes: string[] = [];
      const queue = createExclusiveQueue(createLocalQueue({ store, nowMs }), {
        ...{ store, nowMs, renewMs },
        onChange: (state) => changes.push(state),
      });
      return { queue, changes };
    },
  };
}

test('of two servers with one store, one does all jobs, once, and also those that the other one sends', async () => {
  const { createQueue } = setUp();
  const [first, second] = [createQueue(), createQueue()];
  const jobs = makeJobs(60);
  await first.queue.send(jobs.slice(0, 30));
  const firstConsumer = startConsumer(first.queue);
  await firstConsumer.until(() => firstConsumer.units.length > 0);
  const secondConsumer = startConsumer(second.queue);
  await expect.poll(() => second.changes).toEqual(['waiting']);
  await second.queue.send(jobs.slice(30));
  await firstConsumer.until(() => firstConsumer.units.length >= 60);
  await firstConsumer.stop();
  await secondConsumer.stop();
  expect(firstConsumer.units.toSorted()).toEqual(unitsOf(jobs).toSorted());
  expect(secondConsumer.units).toEqual([]);
  expect(first.changes).toEqual([]);
});

test('another server takes over when the first one has stopped', async () => {
  const { createQueue } = setUp();
  const [first, second] = [createQueue(), createQueue()];
  const firstConsumer = startConsumer(first.queue);
  await first.queue.send(makeJobs(1));
  await firstConsumer.started(1);
  const secondConsumer = startConsumer(second.queue);
  await expect.poll(() => second.changes).toEqual(['waiting']);
  await firstConsumer.stop();
  await first.queue.send(makeJobs(3));
  await secondConsumer.started(3);
  expect(second.changes).toEqual(['waiting', 'working']);
  await secondConsumer.stop();
});

test('another server takes over when the first one has not renewed its lease for a minute', async () => {
  const { createQueue, clock } = setUp();
  const first = startConsumer(createQueue({ renewMs: 1_000_000 }).queue);
  const second = createQueue();
  await createQueue().queue.send(makeJobs(1));
  await first.started(1);
  const secondConsumer = startConsumer(second.queue);
  await expect.poll(() => second.changes).toEqual(['waiting']);
  clock.nowMs += 59_000;
  await new Promise((resolve) => setImmediate(resolve));
  expect(second.changes).toEqual(['waiting']);
  clock.nowMs += 2_000;
  await expect.poll(() => second.changes).toEqual(['waiting', 'working']);
  await secondConsumer.stop();
  await first.stop();
});
