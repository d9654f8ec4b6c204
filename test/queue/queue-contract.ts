import { beforeEach, describe, expect, it } from 'vitest';
import type { UnitQueue } from '../../src/queue/queue.ts';
import { createGate, makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';

export interface QueueUnderTest {
  /** Gives up on a job after three failures or more, with almost no delay before each attempt. */
  queue: UnitQueue;
  /** Returns another object for the same queue, as the next process would create it. */
  reopen(): UnitQueue;
  /** Resolves with the units of all dead letters once there are this many. */
  deadLetters(count: number): Promise<string[]>;
}

export interface QueueContractOptions {
  /** How many jobs are sent in one send. */
  jobs?: number;
}

/** The contract of every queue. */
export function describeQueue(
  name: string,
  make: () => Promise<QueueUnderTest>,
  { jobs = 2000 }: QueueContractOptions = {},
): void {
  describe(`the contract of a queue, for ${name}`, () => {
    let current: QueueUnderTest;
    beforeEach(async () => {
      current = await make();
    });

    describeDelivery(() => current, jobs);
    describeFailure(() => current);
    describeStopping(() => current);
  });
}

function describeDelivery(current: () => QueueUnderTest, count: number): void {
  it(`delivers ${count} jobs of one send as they were sent, each once, and leaves none`, async () => {
    const { queue, reopen } = current();
    const jobs = makeJobs(count).map((job, index) => ({ ...job, images: index % 7, retry: index % 3 === 0 }));
    await queue.send(jobs);
    expect(await queue.depth()).toBeGreaterThan(0);
    const delivered: unknown[] = [];
    const consumer = startConsumer(queue, { handle: (job) => void delivered.push(job), concurrency: 50 });
    await consumer.started(count);
    await consumer.stop();
    expect(delivered).toHaveLength(count);
    expect(new Set(delivered.map((job) => JSON.stringify(job)))).toEqual(
      new Set(jobs.map((job) => JSON.stringify(job))),
    );
    expect(consumer.errors).toEqual([]);
    expect(await queue.depth()).toBe(0);
    expect(await reopen().depth()).toBe(0);
  });

  it('delivers jobs that were sent before there was a consumer to the next process', async () => {
    const { queue, reopen } = current();
    await queue.send(makeJobs(3));
    const consumer = startConsumer(reopen());
    await consumer.started(3);
    expect(consumer.units.sort()).toEqual(['unit-1', 'unit-2', 'unit-3']);
  });

  it('wakes an idle consumer with each send', async () => {
    const { queue } = current();
    const consumer = startConsumer(queue);
    for (const count of [1, 2, 3]) {
      await queue.send(makeJobs(1));
      await consumer.started(count);
    }
    expect(consumer.units).toEqual(['unit-1', 'unit-1', 'unit-1']);
    expect(consumer.errors).toEqual([]);
  });

  it('keeps as many jobs in flight as the concurrency allows, and never more', async () => {
    const { queue } = current();
    await queue.send(makeJobs(60));
    const gate = createGate();
    let inFlight = 0;
    let most = 0;
    const handle = async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await gate.opened;
      inFlight -= 1;
    };
    const consumer = startConsumer(queue, { handle, concurrency: 7 });
    await consumer.started(7);
    await askForDepth(queue);
    gate.open();
    await consumer.started(60);
    expect(most).toBe(7);
  });

  it('shares the jobs between two consumers', async () => {
    const { queue } = current();
    await queue.send(makeJobs(200));
    const gate = createGate();
    const consumers = [1, 2].map(() => startConsumer(queue, { handle: () => gate.opened, concurrency: 5 }));
    await Promise.all(consumers.map((consumer) => consumer.started(5)));
    gate.open();
    const delivered = () => consumers.flatMap(({ units }) => units);
    await Promise.race(consumers.map((consumer) => consumer.until(() => delivered().length >= 200)));
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    expect(delivered().sort()).toEqual(unitsOf(makeJobs(200)).sort());
    expect(await queue.depth()).toBe(0);
  });

  it('accepts a send of no jobs', async () => {
    const { queue } = current();
    await queue.send([]);
    expect(await queue.depth()).toBe(0);
  });

  it.each([
    ['its unit is not a unit id', { unit: 'a/b', images: 1, retry: false }],
    ['its number of images is negative', { unit: 'a', images: -1, retry: false }],
    ['its number of images is not whole', { unit: 'a', images: 0.5, retry: false }],
  ])('sends no job at all when one is invalid because %s', async (_name, job) => {
    const { queue } = current();
    await expect(queue.send([...makeJobs(1), job])).rejects.toThrow(TypeError);
    expect(await queue.depth()).toBe(0);
  });
}

function describeFailure(current: () => QueueUnderTest): void {
  it('delivers a job that fails again, but not the jobs that were sent with it', async () => {
    const { queue } = current();
    await queue.send(makeJobs(10));
    const handle = ({ unit }: { unit: string }) => {
      if (unit === 'unit-4' && consumer.count(unit) < 3) throw new Error('not yet');
    };
    const consumer = startConsumer(queue, { handle });
    await consumer.until(() => consumer.count('unit-4') === 3);
    await consumer.stop();
    expect(consumer.units.sort()).toEqual([...unitsOf(makeJobs(10)), 'unit-4', 'unit-4'].sort());
    expect(consumer.errors).toEqual([1, 2].map(() => ({ error: new Error('not yet'), unit: 'unit-4' })));
    expect(await queue.depth()).toBe(0);
  });

  it('moves a job that always fails to the dead letters, alone', async () => {
    const { queue, deadLetters } = current();
    await queue.send(makeJobs(30));
    const handle = ({ unit }: { unit: string }) => {
      if (unit === 'unit-7') throw new Error('never');
    };
    const consumer = startConsumer(queue, { handle });
    expect(await deadLetters(1)).toEqual(['unit-7']);
    await consumer.stop();
    expect(consumer.count('unit-7')).toBeGreaterThanOrEqual(3);
    expect(consumer.units.filter((unit) => unit !== 'unit-7').sort()).toEqual(
      unitsOf(makeJobs(30))
        .filter((unit) => unit !== 'unit-7')
        .sort(),
    );
    expect(await queue.depth()).toBe(0);
  });
}

function describeStopping(current: () => QueueUnderTest): void {
  it('finishes the jobs in flight when a consumer stops, and delivers the others to the next one', async () => {
    const { queue, reopen } = current();
    await queue.send(makeJobs(100));
    const gate = createGate();
    let isStopped = false;
    const first = startConsumer(queue, { handle: () => gate.opened, concurrency: 5 });
    await first.started(5);
    const stopped = first.stop().then(() => {
      isStopped = true;
    });
    await askForDepth(queue);
    expect(isStopped).toBe(false);
    gate.open();
    await stopped;
    expect(first.units).toHaveLength(5);

    const second = startConsumer(reopen());
    await second.started(95);
    await second.stop();
    expect([...first.units, ...second.units].sort()).toEqual(unitsOf(makeJobs(100)).sort());
    expect([...first.errors, ...second.errors]).toEqual([]);
    expect(await queue.depth()).toBe(0);
  });

  it('delivers jobs that a stop interrupts to the next consumer', async () => {
    const { queue, reopen } = current();
    await queue.send(makeJobs(3));
    const gate = createGate();
    const handle = () => gate.opened.then(() => Promise.reject(new Error('interrupted')));
    const first = startConsumer(queue, { handle });
    await first.started(3);
    const stopped = first.stop();
    gate.open();
    await stopped;
    const second = startConsumer(reopen());
    await second.started(3);
    await second.stop();
    expect(second.units.sort()).toEqual(unitsOf(makeJobs(3)).sort());
    expect(await queue.depth()).toBe(0);
  });

  it('stops an idle consumer', async () => {
    const { queue } = current();
    const consumer = startConsumer(queue);
    await queue.send(makeJobs(1));
    await consumer.started(1);
    await expect(consumer.stop()).resolves.toBeUndefined();
  });

  it('delivers nothing to a consumer that is stopped before it starts', async () => {
    const { queue } = current();
    await queue.send(makeJobs(3));
    await queue.consume(() => expect.unreachable(), {
      concurrency: 1,
      signal: AbortSignal.abort(),
      onError: (error) => expect.unreachable(String(error)),
    });
    expect(await queue.depth()).toBeGreaterThan(0);
  });
}

/** Several round trips to the queue, in which a consumer that did too much would do it. */
async function askForDepth(queue: UnitQueue): Promise<void> {
  for (let call = 0; call < 5; call += 1) await queue.depth();
}
