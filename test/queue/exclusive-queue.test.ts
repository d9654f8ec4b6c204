import { expect, onTestFinished, test, vi } from 'vitest';
import { QUEUE_LEASE_KEY } from '../../src/protocol/keys.ts';
import { createExclusiveQueue } from '../../src/queue/exclusive-queue.ts';
import { createLocalQueue } from '../../src/queue/local-queue.ts';
import { makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';
import { createMemoryStore } from '../support/store/memory-store.ts';

/** Queues of several servers in one store. */
function setUp() {
  const store = createMemoryStore();
  const lease = { isAway: false, failures: 0 };
  const leaseStore = {
    ...store,
    get: async (key: string) => {
      if (!lease.isAway) return await store.get(key);
      lease.failures += 1;
      throw new Error('the store is away');
    },
  };
  const clock = { nowMs: Date.now() };
  const nowMs = () => clock.nowMs;
  return {
    store,
    lease,
    clock,
    createQueue({ renewMs = 5 } = {}) {
      const changes: string[] = [];
      const queue = createExclusiveQueue(createLocalQueue({ store, nowMs }), {
        ...{ store: leaseStore, nowMs, renewMs },
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

test('a server whose lease another one has taken starts no more jobs until that one is gone', async () => {
  const { createQueue, store, clock } = setUp();
  const { queue, changes } = createQueue();
  const consumer = startConsumer(queue);
  await queue.send(makeJobs(1));
  await consumer.started(1);
  const holder = { id: 'other', machine: 'other', pid: 1 };
  const lease = { holder, slots: 1, untilMs: clock.nowMs + 60_000 };
  await store.put(QUEUE_LEASE_KEY, new TextEncoder().encode(JSON.stringify({ leases: [lease] })), {
    contentType: 'application/json',
  });
  await expect.poll(() => changes).toEqual(['waiting']);
  await queue.send(makeJobs(3));
  clock.nowMs += 61_000;
  await expect.poll(() => changes).toEqual(['waiting', 'working']);
  await consumer.started(4);
  await consumer.stop();
});

test('a server that cannot renew its lease starts no more jobs before another one may take it', async () => {
  const { createQueue, lease } = setUp();
  const { queue } = createQueue();
  const consumer = startConsumer(queue);
  await queue.send(makeJobs(1));
  await consumer.started(1);
  const failMore = async () => {
    const before = lease.failures;
    await expect.poll(() => lease.failures).toBeGreaterThan(before + 3);
  };
  lease.isAway = true;
  await failMore();
  await queue.send(makeJobs(1));
  await consumer.started(2);
  const now = performance.now.bind(performance);
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + 59_000);
  onTestFinished(() => spy.mockRestore());
  await failMore();
  await queue.send(makeJobs(1));
  await failMore();
  expect(consumer.units).toHaveLength(2);
  lease.isAway = false;
  await consumer.started(3);
  await consumer.stop();
});
