import { describe, expect, it } from 'vitest';
import type { Job } from '../../src/queue/queue.ts';
import { splitJob } from '../../src/queue/split-jobs.ts';

const job = (images: number, more: Partial<Job> = {}): Job => ({ unit: 'u', images, retry: true, ...more });

describe('splitJob', () => {
  it('splits a large unit into jobs for disjoint ranges of its images, in their order', () => {
    expect(splitJob(job(120, { pack: 'p' }))).toEqual([
      job(50, { pack: 'p', from: 0 }),
      job(50, { pack: 'p', from: 50 }),
      job(20, { pack: 'p', from: 100 }),
    ]);
  });

  it.each([
    ['of a unit with as many images as one job may have', job(50)],
    ['that is a part already', job(80, { from: 0 })],
    ['that invalidates a unit', job(80, { invalidate: true })],
  ])('leaves a job %s as it is', (_what, whole) => {
    expect(splitJob(whole)).toEqual([whole]);
  });
});
