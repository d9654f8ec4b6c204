import { beforeEach, describe, expect, test } from 'vitest';
import type { UnitQueue } from '../../src/queue/queue.ts';
import { createGate, makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';

export interface QueueUnderTest {
  queue: UnitQueue;
  /** Another object for the same queue, as the next process has it. */
  reopen(): UnitQueue;
  /** The units of all dead letters, once there are so many. */
  deadLetters(count: number): Promise<string[]>;
}

export interface QueueContractOptions {
  /** How many are sent at once. */
  jobs?: number;
}

/** What every queue promises. It gives up on a job after three failures or more, and has it wait as good as not before each. */
export function describeQueue(
  name: string,
  make: () => Promise<QueueUnderTest>,
  { jobs = 2000 }: QueueContractOptions = {},
): void {
  describe(`${name} keeps the contract of a queue:`, () => {
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
  test(`${count} jobs of one send are delivered as they were sent, each once, and none is left`, async () => {
    const { queue, reopen } = current();
    const jobs = makeJobs(count).map((job, index) => ({ ...job, images: index % 7, retry: index % 3 === 0 }));
    await queue.send(jobs);
    expect(await queue.depth()).toBeGreaterThan(0);
    const delivered: unknown[] = [];
    const consumer = startConsumer(queue, { handle: (job) => void delivered.push(job), concurrency: 50 });
    await consumer.begun(count);
    await consumer.stop();
    expect(delivered).toHaveLength(count);
    expect(new Set(delivered.map((job) => JSON.stringify(job)))).toEqual(
      new Set(jobs.map((job) => JSON.stringify(job))),
    );
    expect(consumer.faults).toEqual([]);
    expect(await queue.depth()).toBe(0);
    expect(await reopen().depth()).toBe(0);
  });

  test('what was sent before there was a consumer is delivered by the next process', async () => {
    const { queue, reopen } = current();
    await queue.send(makeJobs(3));
    const consumer = startConsumer(reopen());
    await consumer.begun(3);
    expect(consumer.units.sort()).toEqual(['unit-1', 'unit-2', 'unit-3']);
  });

  test('a consumer that has nothing to do is woken by what is sent', async () => {
    const { queue } = current();
    const consumer = startConsumer(queue);
    for (const count of [1, 2, 3]) {
      await queue.send(makeJobs(1));
      await consumer.begun(count);
    }
  });

  test('as many jobs as allowed are in hand at once, and never more', async () => {
    const { queue } = current();
    await queue.send(makeJobs(60));
    const gate = createGate();
    let inHand = 0;
    let most = 0;
    const handle = async () => {
      inHand += 1;
      most = Math.max(most, inHand);
      await gate.passed;
      inHand -= 1;
    };
    const consumer = startConsumer(queue, { handle, concurrency: 7 });
    await consumer.begun(7);
    // Long enough for an eighth to begin, if it did.
    for (let question = 0; question < 5; question += 1) await queue.depth();
    gate.open();
    await consumer.begun(60);
    expect(most).toBe(7);
  });

  test('two consumers of a queue share its jobs', async () => {
    const { queue } = current();
    await queue.send(makeJobs(200));
    const gate = createGate();
    const consumers = [1, 2].map(() => startConsumer(queue, { handle: () => gate.passed, concurrency: 5 }));
    await Promise.all(consumers.map((consumer) => consumer.begun(5)));
    gate.open();
    const delivered = () => consumers.flatMap(({ units }) => units);
    await Promise.race(consumers.map((consumer) => consumer.until(() => delivered().length >= 200)));
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    expect(delivered().sort()).toEqual(unitsOf(makeJobs(200)).sort());
    expect(await queue.depth()).toBe(0);
  });

  test('nothing to send is nothing, and what is no job is refused with all that came with it', async () => {
    const { queue } = current();
    await queue.send([]);
    const good = makeJobs(1);
    for (const bad of [
      { unit: 'a/b', images: 1, retry: false },
      { unit: 'a', images: -1, retry: false },
      { unit: 'a', images: 0.5, retry: false },
    ]) {
      await expect(queue.send([...good, bad])).rejects.toThrow(TypeError);
    }
    expect(await queue.depth()).toBe(0);
  });
}

function describeFailure(current: () => QueueUnderTest): void {
  test('a job that fails comes again, and those sent with it do not', async () => {
    const { queue } = current();
    await queue.send(makeJobs(10));
    const handle = ({ unit }: { unit: string }) => {
      if (unit === 'unit-4' && consumer.count(unit) < 3) throw new Error('not yet');
    };
    const consumer = startConsumer(queue, { handle });
    await consumer.until(() => consumer.count('unit-4') === 3);
    await consumer.stop();
    expect(consumer.units.sort()).toEqual([...unitsOf(makeJobs(10)), 'unit-4', 'unit-4'].sort());
    expect(consumer.faults).toEqual([1, 2].map(() => ({ fault: new Error('not yet'), unit: 'unit-4' })));
    expect(await queue.depth()).toBe(0);
  });

  test('a job that always fails ends with the dead letters, alone', async () => {
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
  test('a consumer that is stopped finishes what it has in hand, and the next one gets the rest', async () => {
    const { queue, reopen } = current();
    await queue.send(makeJobs(100));
    const gate = createGate();
    let ended = false;
    const first = startConsumer(queue, { handle: () => gate.passed, concurrency: 5 });
    await first.begun(5);
    const stopped = first.stop().then(() => {
      ended = true;
    });
    // Long enough to end, or to begin more, if it did.
    for (let question = 0; question < 5; question += 1) await queue.depth();
    expect(ended).toBe(false);
    gate.open();
    await stopped;
    expect(first.units).toHaveLength(5);

    const second = startConsumer(reopen());
    await second.begun(95);
    await second.stop();
    expect([...first.units, ...second.units].sort()).toEqual(unitsOf(makeJobs(100)).sort());
    expect([...first.faults, ...second.faults]).toEqual([]);
    expect(await queue.depth()).toBe(0);
  });

  test('what a stop cuts short goes to the next one', async () => {
    const { queue, reopen } = current();
    await queue.send(makeJobs(3));
    const gate = createGate();
    const handle = () => gate.passed.then(() => Promise.reject(new Error('cut short')));
    const first = startConsumer(queue, { handle });
    await first.begun(3);
    const stopped = first.stop();
    gate.open();
    await stopped;
    const second = startConsumer(reopen());
    await second.begun(3);
    await second.stop();
    expect(second.units.sort()).toEqual(unitsOf(makeJobs(3)).sort());
    expect(await queue.depth()).toBe(0);
  });

  test('a consumer that has nothing to do stops', async () => {
    const { queue } = current();
    const consumer = startConsumer(queue);
    await queue.send(makeJobs(1));
    await consumer.begun(1);
    await consumer.stop();
  });

  test('a consumer that is stopped before it begins takes nothing', async () => {
    const { queue } = current();
    await queue.send(makeJobs(3));
    await queue.consume(() => expect.unreachable(), {
      concurrency: 1,
      signal: AbortSignal.abort(),
      report: (fault) => expect.unreachable(String(fault)),
    });
    expect(await queue.depth()).toBeGreaterThan(0);
  });
}
