import { describe, expect, it } from 'vitest';
import { createSingleFlight, createWorkQueue } from '../../src/variant/work-queue.ts';
import { until } from '../support/http/service.ts';

/** Work that stays in flight until `finish` is called. */
function heldWork() {
  let finish = () => {};
  const promise = new Promise<string>((resolve) => {
    finish = () => resolve('done');
  });
  const calls = { count: 0 };
  const work = () => {
    calls.count++;
    return promise;
  };
  return { work, calls, finish };
}

describe('the work queue', () => {
  it('finishes the work in flight and rejects queued and new work when it drains', async () => {
    const workQueue = createWorkQueue({ concurrency: 1, concurrencyPerHost: 1, capacity: 10 });
    const { work, calls, finish } = heldWork();
    const [first, sameHost, otherHost] = ['a', 'a', 'b'].map((host) => workQueue.run(host, work));
    await until(() => calls.count > 0);
    const drained = workQueue.drain();
    const refusal = { code: 'overloaded', message: expect.stringContaining('shutting down') };
    const queued = Promise.all(
      [sameHost, otherHost].map((result) => expect(result).rejects.toMatchObject(refusal)),
    );
    await expect(workQueue.run('c', work)).rejects.toMatchObject(refusal);
    finish();
    expect(await first).toBe('done');
    await Promise.all([queued, drained]);
    expect(calls.count).toBe(1);
  });

  it('rejects work beyond its capacity as overloaded until work in flight is done', async () => {
    const workQueue = createWorkQueue({ concurrency: 1, concurrencyPerHost: 1, capacity: 2 });
    const { work, finish } = heldWork();
    const accepted = [workQueue.run('a', work), workQueue.run('b', work)];
    await expect(workQueue.run('c', work)).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterSeconds: 5,
    });
    finish();
    expect(await Promise.all(accepted)).toEqual(['done', 'done']);
    expect(await workQueue.run('c', work)).toBe('done');
  });

  it('runs work for another host while one host uses all of its concurrency', async () => {
    const workQueue = createWorkQueue({ concurrency: 2, concurrencyPerHost: 1, capacity: 10 });
    const { work, calls, finish } = heldWork();
    const slow = [workQueue.run('slow', work), workQueue.run('slow', work)];
    expect(await workQueue.run('quick', async () => 'quick')).toBe('quick');
    expect(calls.count).toBe(1);
    finish();
    expect(await Promise.all(slow)).toEqual(['done', 'done']);
  });
});

describe('a single flight', () => {
  it('runs the work of a key once for all callers, and again after it is done', async () => {
    const singleFlight = createSingleFlight<string>();
    const { work, calls, finish } = heldWork();
    const callers = [singleFlight('key', work), singleFlight('key', work), singleFlight('other', work)];
    expect(calls.count).toBe(2);
    finish();
    expect(await Promise.all(callers)).toEqual(['done', 'done', 'done']);
    await singleFlight('key', work);
    expect(calls.count).toBe(3);
  });

  it('shares an error with all callers, and runs the work again for the next one', async () => {
    const singleFlight = createSingleFlight<string>();
    const fail = () => Promise.reject(new Error('broken'));
    const callers = [singleFlight('key', fail), singleFlight('key', fail)];
    await Promise.all(callers.map((caller) => expect(caller).rejects.toThrow('broken')));
    expect(await singleFlight('key', async () => 'done')).toBe('done');
  });
});
