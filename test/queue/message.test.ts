import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, packJobs } from '../../src/queue/message.ts';
import type { Job } from '../../src/queue/queue.ts';
import { makeJobs } from '../support/queue/consumer.ts';

const anyJob: fc.Arbitrary<Job> = fc.record({
  unit: fc.stringMatching(/^[A-Za-z0-9_~-]{1,128}$/),
  images: fc.oneof(fc.nat(12), fc.nat(1000)),
  retry: fc.boolean(),
});

const packMessages = (jobs: readonly Job[]) => packJobs(jobs).map(encodeMessage);
const jobsPerMessage = (jobs: readonly Job[]) => packMessages(jobs).map((body) => decodeMessage(body).length);

describe('packJobs', () => {
  it('keeps every job in order, in messages of at most 25 units, and of at most 50 images or one unit', () => {
    fc.assert(
      fc.property(fc.array(anyJob, { maxLength: 200 }), (jobs) => {
        const messages = packMessages(jobs).map(decodeMessage);
        expect(messages.flat()).toEqual(jobs);
        for (const message of messages) {
          const images = message.reduce((sum, job) => sum + job.images, 0);
          expect(message.length).toBeLessThanOrEqual(25);
          expect(message.length === 1 || images <= 50).toBe(true);
        }
      }),
    );
  });

  it.each<[string, Job[], number[]]>([
    ['100 units of 2 images', makeJobs(100, 2), [25, 25, 25, 25]],
    ['25 units of 5 images', makeJobs(25, 5), [10, 10, 5]],
    [
      'a unit of 900 images between others',
      [...makeJobs(2, 1), ...makeJobs(1, 900), ...makeJobs(2, 1)],
      [2, 1, 2],
    ],
    ['no units', [], []],
  ])('fills each message before it starts the next, for %s', (_name, jobs, messages) => {
    expect(jobsPerMessage(jobs)).toEqual(messages);
  });

  it('packs the jobs of each client apart, and fills the messages of each', () => {
    const jobs = makeJobs(100, 2).map((job, index) => ({ ...job, client: `client-${index % 2}` }));
    const messages = packMessages(jobs).map(decodeMessage);
    expect(messages.map((message) => message.length)).toEqual([25, 25, 25, 25]);
    for (const message of messages) expect(new Set(message.map(({ client }) => client)).size).toBe(1);
  });

  it('writes version 1 of the format, with the properties that a job has', () => {
    const upgrade = { src: 'https://a.test/1.jpg', width: 160, tier: 'balanced', format: 'avif' } as const;
    const jobs: Job[] = [
      { unit: 'a', images: 2, retry: false },
      { unit: 'b', images: 1, retry: true, invalidate: true },
      { unit: 'c', images: 1, retry: false, upgrade },
    ];
    expect(packMessages(jobs)).toEqual([
      '{"v":1,"jobs":[{"unit":"a","images":2,"retry":false},{"unit":"b","images":1,"retry":true,"invalidate":true}]}',
      '{"v":1,"jobs":[{"unit":"c","images":1,"retry":false,"upgrade":{"src":"https://a.test/1.jpg","width":160,"tier":"balanced","format":"avif"}}]}',
    ]);
  });
});

describe('a message with jobs whose manifests are in a pack', () => {
  const jobs = makeJobs(2).map((job) => ({ ...job, pack: 'packs/0000000000001-0123456789ab.ndjson' }));

  it('is of version 2, which workers refuse that know no packs', () => {
    expect(packMessages(jobs).map((body) => JSON.parse(body))).toEqual([{ v: 2, jobs }]);
  });

  it('is read as it was written', () => {
    expect(packMessages(jobs).flatMap(decodeMessage)).toEqual(jobs);
  });
});

describe('decodeMessage', () => {
  const [body = ''] = packMessages(makeJobs(3));

  it.each([
    ['not JSON', 'unit-1'],
    ['a message of another version', body.replace('"v":1', '"v":3')],
    ['a message without jobs', '{"v":1,"jobs":[]}'],
    ['a message with an invalid job', body.replace('unit-2', '../..')],
    ['empty', ''],
  ])('throws for a body that is %s', (_name, malformed) => {
    expect(() => decodeMessage(malformed)).toThrow('not a message with units');
  });

  it('ignores properties that this version does not know', () => {
    const [job] = makeJobs(1);
    const newer = JSON.stringify({ v: 1, at: 'noon', jobs: [{ ...job, tiers: ['high'] }] });
    expect(decodeMessage(newer)).toEqual([job]);
  });
});
