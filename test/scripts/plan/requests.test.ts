import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calculatePlan } from '../../../scripts/plan/calculate.ts';
import { MAX_MESSAGE_IMAGES, MAX_MESSAGE_JOBS, packJobs } from '../../../src/queue/message.ts';
import type { Job } from '../../../src/queue/queue.ts';
import { createFileStore } from '../../../src/store/file-store.ts';
import type { VariantStore } from '../../../src/store/store.ts';
import { ingestUnits } from '../../../src/unit/ingest.ts';
import type { Unit } from '../../../src/unit/unit.ts';
import { startOrigin, startService, temporaryFolder } from '../../support/http/service.ts';
import { photograph } from '../../support/pictures.ts';
import { MILLION_UNITS } from '../../support/plan/inputs.ts';

const TEN_MINUTES_MS = 600_000;

/** Counts the requests for keys of units. Requests for the queue's own keys and lists of all tombstones do not count. */
function createCountingStore(store: VariantStore) {
  const counts = { get: 0, head: 0, put: 0, list: 0, deleted: 0 };
  const isOfUnit = (key: string) => /^(v1|purged|states)\//.test(key);
  // The marks of a state that a unit is not in are deleted in vain, which costs nothing.
  const isObject = (key: string) => /^(v1|purged)\//.test(key);
  const counted =
    <A extends unknown[], R>(operation: keyof typeof counts, forward: (key: string, ...rest: A) => R) =>
    (key: string, ...rest: A): R => {
      if (isOfUnit(key)) counts[operation]++;
      return forward(key, ...rest);
    };
  const counting: VariantStore = {
    get: counted('get', store.get),
    head: counted('head', store.head),
    put: counted('put', store.put),
    replace: counted('put', store.replace),
    list: counted('list', store.list),
    delete: async (keys) => {
      counts.deleted += keys.filter(isObject).length;
      await store.delete(keys);
    },
    deleteIfMatch: async (key, etag) => {
      if (isObject(key)) counts.deleted++;
      await store.deleteIfMatch(key, etag);
    },
  };
  /** Returns the counts since the last call and resets them. */
  const takeCounts = () => {
    const taken = { ...counts };
    Object.assign(counts, { get: 0, head: 0, put: 0, list: 0, deleted: 0 });
    return taken;
  };
  return { store: counting, takeCounts };
}

function unitOf(images: number, url: string): Unit {
  return {
    id: 'unit-1',
    images: Array.from({ length: images }, (_, index) => ({ src: `${url}/${index}.jpg` })),
    widths: [160],
    tiers: ['balanced'],
    formats: ['avif', 'webp'],
  };
}

/** A unit of five images, alone or of several that were sent together, that is prewarmed in a store that counts requests; its clock can be moved. */
async function prewarmCounted(others: number) {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const root = await temporaryFolder();
  const { store, takeCounts } = createCountingStore(createFileStore({ root }));
  const clock = { aheadMs: 0 };
  const { unitServices } = await startService(
    { SOURCE_ALLOW_PRIVATE: origin.authority },
    { store, nowMs: () => Date.now() + clock.aheadMs },
  );
  const { units } = unitServices;
  await units.sweep();
  takeCounts();
  let finishOthers = async () => {};
  if (others === 0) {
    await units.prewarm(await units.submit(unitOf(5, origin.url), { retry: false }), () => {});
  } else {
    const more = Array.from({ length: others }, (_, index) => ({
      ...unitOf(0, origin.url),
      id: `other-${index}`,
    }));
    const { jobs } = await units.submitBatch([unitOf(5, origin.url), ...more], { retry: false });
    takeCounts();
    const [first, ...rest] = jobs;
    if (first) await unitServices.processJob(first, () => {});
    finishOthers = async () => {
      for (const job of rest) await unitServices.processJob(job, () => {});
    };
  }
  return { units, root, clock, takeCounts, finishOthers };
}

/** Moves the times of all files of a folder back. */
async function makeOlder(folder: string, ms: number): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const time = new Date(Date.now() - ms);
    if (entry.isFile()) await utimes(file, time, time);
  }
}

describe('planned requests', () => {
  it('equal the store requests of prewarming a unit', async () => {
    const { takeCounts } = await prewarmCounted(40);
    const { store: planned } = calculatePlan(MILLION_UNITS);
    expect(takeCounts()).toEqual({
      get: planned.gets.value - planned.getsOfSweep.value - 2,
      // Of the marks of its state.
      head: 2,
      put: planned.puts.value,
      list: planned.lists.value,
      deleted: 0,
    });
  });

  it('equal the store requests of the sweep of a pack whose units are all ready', async () => {
    const { units, takeCounts, finishOthers } = await prewarmCounted(40);
    await finishOthers();
    takeCounts();
    await units.sweepPacks();
    const { store: planned } = calculatePlan(MILLION_UNITS);
    const { get, head } = takeCounts();
    expect(get + head).toBe(41 * planned.getsOfSweep.value);
  });

  it('equal the store requests of purging a unit and of the sweeps after it', async () => {
    const { units, root, clock, takeCounts } = await prewarmCounted(0);
    takeCounts();
    // Objects that were put within the two seconds before the tombstone would be read once more.
    await makeOlder(join(root, 'v1'), 3000);
    await units.purge(['unit-1']);
    // Half an interval: on average a purge happens in the middle between two sweeps.
    clock.aheadMs += TEN_MINUTES_MS / 2;
    for (let sweep = 0; sweep < 10; sweep++) {
      await units.sweep();
      clock.aheadMs += TEN_MINUTES_MS;
    }
    const { purges, store: planned } = calculatePlan(MILLION_UNITS);
    const { get, head, put, list, deleted } = takeCounts();
    expect({ gets: get + head, put, list, deleted }).toEqual({
      gets: purges.getsPerPurge.value,
      put: purges.putsPerPurge.value,
      list: purges.listsPerPurge.value,
      deleted: planned.objects.value,
    });
  });

  it.each([1, 2, 3, 5, 7, 39, 40, 50, 51, 1000])(
    'pack units of %i images into messages and calls as the queue does',
    async (images) => {
      const { queue } = calculatePlan({ ...MILLION_UNITS, imagesPerUnit: images });
      const jobs = Array.from({ length: 2 * MAX_MESSAGE_JOBS }, () => ({ unit: 'a', images, retry: false }));
      expect(packJobs(jobs)[0]).toHaveLength(queue.unitsPerMessage.value);
      expect(queue.unitsPerSend.value).toBe(await countUnitsSentTogether(images));
      expect(queue.batchSeconds.value).toBeLessThanOrEqual(
        (2 * Math.max(MAX_MESSAGE_IMAGES, images) * 350) / 1000,
      );
    },
  );
});

async function countUnitsSentTogether(images: number): Promise<number> {
  const sent: number[] = [];
  async function* lines() {
    for (let line = 1; line <= 1200; line++)
      yield { line, unit: { ...unitOf(images, 'https://x.test'), id: `unit-${line}` } };
  }
  await ingestUnits(lines(), {
    units: {
      submitBatch: async (units) => ({
        jobs: units.map(({ id, images: all }) => ({ unit: id, images: all.length, retry: false })),
        error: undefined,
        forget: async () => {},
      }),
    },
    queue: { send: async (jobs: readonly Job[]) => void sent.push(jobs.length) },
    retry: false,
    onRefused: () => {},
  });
  return sent[0] ?? 0;
}
