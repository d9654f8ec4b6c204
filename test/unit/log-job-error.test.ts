import { pino } from 'pino';
import { expect, it } from 'vitest';
import { MissingResource } from '../../src/missing-resource.ts';
import { createLogJobError } from '../../src/unit/log-job-error.ts';

const jobOf = (unit: string) => ({ unit, images: 1, retry: false });

function setUp() {
  const lines: Record<string, unknown>[] = [];
  let nowMs = 0;
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const logJobError = createLogJobError(log, () => nowMs);
  const wait = (ms: number) => {
    nowMs += ms;
  };
  return { lines, logJobError, wait };
}

it('says once for all units that the bucket is missing and which variable names it, and again after five minutes', () => {
  const { lines, logJobError, wait } = setUp();
  const missing = () =>
    new Error('a call failed', { cause: new MissingResource('bucket "x"', 'STORE', 'why') });
  for (const unit of ['a', 'b', 'c']) logJobError(missing(), jobOf(unit));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: 50,
    variable: 'STORE',
    msg: 'no unit can be prewarmed: there is no bucket "x": create it, or change STORE, which names it',
  });
  logJobError(new MissingResource('queue q', 'QUEUE', 'why'));
  expect(lines[1]).toMatchObject({ variable: 'QUEUE' });
  wait(300_000);
  logJobError(missing(), jobOf('d'));
  expect(lines[2]).toMatchObject({ variable: 'STORE', failures: 2 });
  expect(lines).toHaveLength(3);
});

it('names the unit of each other failure, and says when it is the queue that fails', () => {
  const { lines, logJobError } = setUp();
  logJobError(new Error('slow down'), jobOf('a'));
  logJobError(new Error('no answer'));
  expect(lines).toMatchObject([
    { unit: 'a', msg: 'a unit could not be prewarmed', err: { message: 'slow down' } },
    { msg: 'work on the queue failed', err: { message: 'no answer' } },
  ]);
});
