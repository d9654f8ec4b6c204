import { describe, expect, it } from 'vitest';
import { plan } from '../../../scripts/plan/plan.ts';
import { MAX_IMAGES, MAX_JOBS, packMessages, readMessage } from '../../../src/queue/message.ts';
import type { Job } from '../../../src/queue/queue.ts';
import { createFileStore } from '../../../src/store/file-store.ts';
import type { VariantStore } from '../../../src/store/store.ts';
import { ingestUnits } from '../../../src/unit/ingest.ts';
import type { Unit } from '../../../src/unit/unit.ts';
import { startOrigin, startService, temporaryFolder } from '../../support/http/service.ts';
import { photograph } from '../../support/pictures.ts';
import { MILLION_UNITS } from '../../support/plan/given.ts';

const TEN_MINUTES_MS = 600_000;

/** A store that counts what is asked of it about units: neither the queue that is kept there, nor lists of all marks. */
function countStore(store: VariantStore) {
  const counts = { get: 0, head: 0, put: 0, list: 0, deleted: 0 };
  const isOfUnit = (key: string) => /^(v1|purged)\//.test(key);
  const counted =
    <A extends unknown[], R>(operation: keyof typeof counts, does: (key: string, ...rest: A) => R) =>
    (key: string, ...rest: A): R => {
      if (isOfUnit(key)) counts[operation]++;
      return does(key, ...rest);
    };
  const counting: VariantStore = {
    get: counted('get', store.get),
    head: counted('head', store.head),
    put: counted('put', store.put),
    replace: counted('put', store.replace),
    list: counted('list', store.list),
    delete: async (keys) => {
      counts.deleted += keys.filter(isOfUnit).length;
      await store.delete(keys);
    },
  };
  /** Since the last time. */
  const take = () => {
    const taken = { ...counts };
    Object.assign(counts, { get: 0, head: 0, put: 0, list: 0, deleted: 0 });
    return taken;
  };
  return { store: counting, take };
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

describe('the requests of a plan', () => {
  it('are what prewarming a unit, purging it and sweeping after it really ask of the store', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const { store, take } = countStore(createFileStore({ root: await temporaryFolder() }));
    const clock = { aheadMs: 0 };
    const { unitServices } = await startService(
      { SOURCE_ALLOW_PRIVATE: origin.authority },
      { store, nowMs: () => Date.now() + clock.aheadMs },
    );
    const { units } = unitServices;
    await units.sweep();
    take();

    const job = await units.accept(unitOf(5, origin.url), { retry: false });
    await units.prewarm(job, () => {});
    const { store: planned, purges } = plan(MILLION_UNITS);
    expect(take()).toEqual({
      get: planned.gets.value,
      head: 0,
      put: planned.puts.value,
      list: planned.lists.value,
      deleted: 0,
    });

    // What was put within the last two seconds would be looked at once more.
    clock.aheadMs += 3000;
    await units.purge(['unit-1']);
    // A purge is as likely to be long after a sweep as just before one.
    clock.aheadMs += TEN_MINUTES_MS / 2;
    for (let sweep = 0; sweep < 10; sweep++) {
      await units.sweep();
      clock.aheadMs += TEN_MINUTES_MS;
    }
    const { get, head, put, list, deleted } = take();
    expect({ gets: get + head, put, list, deleted }).toEqual({
      gets: purges.getsPerPurge.value,
      put: purges.putsPerPurge.value,
      list: purges.listsPerPurge.value,
      deleted: planned.objects.value,
    });
  });

  it('go in messages and calls as units are really packed', async () => {
    for (const images of [1, 2, 3, 5, 7, 39, 40, 50, 51, 1000]) {
      const { queue } = plan({ ...MILLION_UNITS, imagesPerUnit: images });
      const jobs = Array.from({ length: 2 * MAX_JOBS }, () => ({ unit: 'a', images, retry: false }));
      expect(readMessage(packMessages(jobs)[0] ?? '')).toHaveLength(queue.unitsPerMessage.value);
      expect(queue.unitsPerSend.value).toBe(await unitsSentTogether(images));
      expect(queue.batchSeconds.value).toBeLessThanOrEqual((2 * Math.max(MAX_IMAGES, images) * 350) / 1000);
    }
  });
});

async function unitsSentTogether(images: number): Promise<number> {
  const sent: number[] = [];
  async function* lines() {
    for (let line = 1; line <= 300; line++)
      yield { line, unit: { ...unitOf(images, 'https://x.test'), id: `unit-${line}` } };
  }
  await ingestUnits(lines(), {
    units: { accept: async ({ id, images: all }) => ({ unit: id, images: all.length, retry: false }) },
    queue: { send: async (jobs: readonly Job[]) => void sent.push(jobs.length) },
    retry: false,
    refuse: () => {},
  });
  return sent[0] ?? 0;
}
