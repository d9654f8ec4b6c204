import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { handleMessage, type JobFailure, packMessages, readMessage } from '../../src/queue/message.ts';
import type { Job } from '../../src/queue/queue.ts';
import { makeJobs, unitsOf } from '../support/queue/consumer.ts';

const anyJob: fc.Arbitrary<Job> = fc.record({
  unit: fc.stringMatching(/^[A-Za-z0-9_~-]{1,128}$/),
  images: fc.oneof(fc.nat(12), fc.nat(1000)),
  retry: fc.boolean(),
});

describe('packing', () => {
  test('keeps every job, in order, in messages of at most 25 units and 50 images unless it is one unit', () => {
    fc.assert(
      fc.property(fc.array(anyJob, { maxLength: 200 }), (jobs) => {
        const messages = packMessages(jobs).map(readMessage);
        expect(messages.flat()).toEqual(jobs);
        for (const message of messages) {
          const images = message.reduce((sum, job) => sum + job.images, 0);
          expect(message.length).toBeLessThanOrEqual(25);
          expect(message.length === 1 || images <= 50).toBe(true);
        }
      }),
    );
  });

  test('leaves no message half empty that the next could have gone into', () => {
    expect(packMessages(makeJobs(100, 2)).map((body) => readMessage(body).length)).toEqual([25, 25, 25, 25]);
    expect(packMessages(makeJobs(25, 5)).map((body) => readMessage(body).length)).toEqual([10, 10, 5]);
    expect(packMessages([...makeJobs(2, 1), ...makeJobs(1, 900), ...makeJobs(2, 1)])).toHaveLength(3);
  });

  test('makes nothing of nothing', () => {
    expect(packMessages([])).toEqual([]);
  });
});

describe('a message', () => {
  const [body = ''] = packMessages(makeJobs(3));
  const [single = ''] = packMessages(makeJobs(1));
  /** What was sent alone, when these units fail. */
  async function handle(message: string, failing: string[], receipts?: number) {
    const handled: string[] = [];
    const sentAlone: JobFailure[] = [];
    await handleMessage(
      message,
      async ({ unit }) => {
        handled.push(unit);
        if (failing.includes(unit)) throw new Error(`no ${unit}`);
      },
      async (failures) => void sentAlone.push(...failures),
      receipts,
    );
    return { handled, sentAlone };
  }

  test('whose jobs are all done is done', async () => {
    expect(await handle(body, [])).toEqual({ handled: unitsOf(makeJobs(3)), sentAlone: [] });
  });

  test('with jobs that fail sends these alone, and is done', async () => {
    const { handled, sentAlone } = await handle(body, ['unit-1', 'unit-3']);
    expect(handled).toEqual(unitsOf(makeJobs(3)));
    expect(sentAlone).toEqual(
      [1, 3].map((n) => ({
        job: { unit: `unit-${n}`, images: 2, retry: false },
        fault: new Error(`no unit-${n}`),
      })),
    );
  });

  test('with a single job fails as that does, however often it has come', async () => {
    for (const receipts of [1, 9]) {
      await expect(handle(single, ['unit-1'], receipts)).rejects.toThrow('no unit-1');
    }
  });

  test('is not done when what failed cannot be sent', async () => {
    const handled = handleMessage(
      body,
      () => Promise.reject(new Error('mine')),
      () => Promise.reject(new Error('theirs')),
    );
    await expect(handled).rejects.toThrow('theirs');
  });

  test('that comes for the third time, since whoever had it died, sends each of its jobs alone', async () => {
    expect((await handle(body, [], 2)).handled).toHaveLength(3);
    const { handled, sentAlone } = await handle(body, [], 3);
    expect(handled).toEqual([]);
    expect(sentAlone.map(({ job }) => job)).toEqual(makeJobs(3));
    expect(await handle(single, [], 3)).toEqual({ handled: ['unit-1'], sentAlone: [] });
  });

  test.each([
    ['is no JSON', 'unit-1'],
    ['is of another version', body.replace('"v":1', '"v":2')],
    ['has no jobs', '{"v":1,"jobs":[]}'],
    ['has a job that is none', body.replace('unit-2', '../..')],
    ['is empty', ''],
  ])('that %s is malformed', async (_, malformed) => {
    await expect(handle(malformed, [])).rejects.toThrow('not a message with units');
  });

  test('may say more than this version knows', async () => {
    const [job] = JSON.parse(single).jobs;
    const newer = JSON.stringify({ v: 1, at: 'noon', jobs: [{ ...job, tiers: ['high'] }] });
    expect(readMessage(newer)).toEqual([job]);
  });
});
