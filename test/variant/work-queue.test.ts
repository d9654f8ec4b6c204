import { expect, it } from 'vitest';
import { createWorkshop } from '../../src/variant/work-queue.ts';

it('a workshop that closes finishes what has begun, and refuses what waits and what comes', async () => {
  const workshop = createWorkshop({ atOnce: 1, atOnceForHost: 1, room: 10 });
  let letGo = (_value: string) => {};
  const held = new Promise<string>((resolve) => {
    letGo = resolve;
  });
  let begun = 0;
  const enter = (host: string) =>
    workshop.enter(host, () => {
      begun++;
      return held;
    });
  const [first, sameHost, otherHost] = [enter('a'), enter('a'), enter('b')];
  const closed = workshop.close();
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
