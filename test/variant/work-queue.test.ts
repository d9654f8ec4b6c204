import { expect, it } from 'vitest';
import { createWorkQueue } from '../../src/variant/work-queue.ts';

it('a workshop that closes finishes what has begun, and refuses what waits and what comes', async () => {
  const workQueue = createWorkQueue({ concurrency: 1, concurrencyPerHost: 1, room: 10 });
  let letGo = (_value: string) => {};
  const held = new Promise<string>((resolve) => {
    letGo = resolve;
  });
  let begun = 0;
  const enter = (host: string) =>
    workQueue.enter(host, () => {
      begun++;
      return held;
    });
  const [first, sameHost, otherHost] = [enter('a'), enter('a'), enter('b')];
  const closed = workQueue.close();
  const refusal = { code: 'overloaded', message: expect.stringContaining('shutting down') };
  const waiting = Promise.all(
    [sameHost, otherHost].map((work) => expect(work).rejects.toMatchObject(refusal)),
  );
  await expect(enter('c')).rejects.toMatchObject(refusal);
  letGo('done');
  expect(await first).toBe('done');
  await Promise.all([waiting, closed]);
  expect(begun).toBe(1);
});
