import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress } from '../../src/protocol/keys.ts';
import { createTombstones, type ListedTombstone } from '../../src/purge/tombstones.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { createBucket, describeS3 } from '../support/store/bucket.ts';
import { makeFolder } from '../support/store/folder.ts';
import { holdStore } from '../support/store/held-store.ts';

const EARLIER_MS = Date.parse('2026-01-01T00:00:00Z');
const LATER_MS = EARLIER_MS + 1000;
const DAY_MS = 86_400_000;

/** The store's own clock decides what has expired. */
const inDays = (days: number) => Date.now() + days * DAY_MS;

const keyOf = (unit: string) => unitAddress(unit, sha256).tombstoneKey;

describeTombstones('tombstones in a folder', async () => createFileStore({ root: await makeFolder() }));
describeS3('with S3', () => {
  describeTombstones('tombstones in a bucket', async () => createS3Store(await createBucket()));
});

function describeTombstones(name: string, makeStore: () => Promise<VariantStore>): void {
  describe(name, () => {
    let store: VariantStore;
    beforeAll(async () => {
      store = await makeStore();
    });
    const tombstonesOf = (other: VariantStore = store, nowMs = EARLIER_MS) =>
      createTombstones(other, sha256, () => nowMs);

    it('have the time of the purge', async () => {
      const unit = randomUUID();
      expect(await tombstonesOf().read(unit)).toBeUndefined();
      expect(await tombstonesOf().put(unit, EARLIER_MS)).toMatchObject({ timeMs: EARLIER_MS });
      expect(await tombstonesOf().read(unit)).toBe(EARLIER_MS);
    });

    it('get the time of a later purge', async () => {
      const unit = randomUUID();
      await tombstonesOf().put(unit, EARLIER_MS);
      expect(await tombstonesOf().put(unit, LATER_MS)).toMatchObject({ timeMs: LATER_MS });
      expect(await tombstonesOf().read(unit)).toBe(LATER_MS);
    });

    it.each([EARLIER_MS, LATER_MS])(
      'get a later time than the last, although the clock of a purge went back or stood still',
      async (timeMs) => {
        const unit = randomUUID();
        await tombstonesOf().put(unit, LATER_MS);
        expect(await tombstonesOf().put(unit, timeMs)).toMatchObject({ timeMs: LATER_MS + 1 });
        expect(await tombstonesOf().read(unit)).toBe(LATER_MS + 1);
      },
    );

    it('say when they were stored, by the clock of the store', async () => {
      const { storedAtMs = 0 } = await tombstonesOf().put(randomUUID(), EARLIER_MS);
      expect(Math.abs(storedAtMs - Date.now())).toBeLessThan(DAY_MS);
    });

    it.each([
      ['where there was no tombstone', undefined],
      ['where there was a tombstone', EARLIER_MS - 1000],
    ])('keep the later time when an earlier purge is slow to store its own, %s', async (_name, beforeMs) => {
      const unit = randomUUID();
      if (beforeMs !== undefined) await tombstonesOf().put(unit, beforeMs);
      const slow = holdStore(store, { operation: 'replace', key: /./, when: 'before' });
      const slowPut = tombstonesOf(slow.store).put(unit, EARLIER_MS);
      await slow.hold.reached;
      await tombstonesOf().put(unit, LATER_MS);
      slow.hold.release();
      expect(await slowPut).toMatchObject({ timeMs: LATER_MS });
      expect(await tombstonesOf().read(unit)).toBe(LATER_MS);
    });

    it('have the time at which a purge began, however slow its put is', async () => {
      const unit = randomUUID();
      const slow = holdStore(store, { operation: 'replace', key: /./, when: 'after' });
      const clock = { ms: EARLIER_MS };
      const slowPut = createTombstones(slow.store, sha256, () => clock.ms).put(unit, EARLIER_MS);
      await slow.hold.reached;
      clock.ms += DAY_MS;
      slow.hold.release();
      expect(await slowPut).toMatchObject({ timeMs: EARLIER_MS });
      expect(await tombstonesOf().read(unit)).toBe(EARLIER_MS);
    });

    it('have the time of one of many concurrent purges, and each of those gets that or an earlier one', async () => {
      const unit = randomUUID();
      const times = [7, 3, 9, 1, 5, 8, 2, 6, 4, 0].map((seconds) => EARLIER_MS + seconds * 1000);
      const stored = await Promise.all(times.map((timeMs) => tombstonesOf().put(unit, timeMs)));
      const lastMs = await tombstonesOf().read(unit);
      expect(Math.max(...stored.map(({ timeMs }) => timeMs))).toBe(lastMs);
    });

    it('are stored once when the answer to the put is lost and the put is repeated', async () => {
      const unit = randomUUID();
      const lossy: VariantStore = {
        ...store,
        async replace(...args) {
          await store.replace(...args);
          // The answer to the repeated put: the condition is no longer met.
          return await store.replace(...args);
        },
      };
      expect(await tombstonesOf(lossy).put(unit, EARLIER_MS)).toMatchObject({ timeMs: EARLIER_MS });
      expect(await tombstonesOf().read(unit)).toBe(EARLIER_MS);
    });

    it('are replaced when their time cannot be read', async () => {
      const unit = randomUUID();
      await store.put(keyOf(unit), Buffer.from('last Tuesday'), { contentType: 'text/plain' });
      expect(await tombstonesOf().read(unit)).toBeUndefined();
      expect(await tombstonesOf().put(unit, EARLIER_MS)).toMatchObject({ timeMs: EARLIER_MS });
      expect(await tombstonesOf().read(unit)).toBe(EARLIER_MS);
    });

    it('cannot be stored when it is changed at every attempt', async () => {
      const busy: VariantStore = { ...store, replace: async () => undefined };
      await expect(tombstonesOf(busy).put('unit-1', EARLIER_MS)).rejects.toThrow('unit-1');
    });

    it('are removed when they have expired', async () => {
      const unit = randomUUID();
      await tombstonesOf().put(unit, EARLIER_MS);
      await tombstonesOf(store, inDays(16)).removeExpired(listed(unit));
      expect(await store.head(keyOf(unit))).toBeUndefined();
    });

    it('are removed when they have expired although their time is far ahead, by a wrong clock', async () => {
      const unit = randomUUID();
      await tombstonesOf().put(unit, EARLIER_MS + 365 * DAY_MS);
      await tombstonesOf(store, inDays(16)).removeExpired(listed(unit));
      expect(await store.head(keyOf(unit))).toBeUndefined();
    });

    it('are not removed when the unit was purged again after they were listed and removed elsewhere', async () => {
      const unit = randomUUID();
      await tombstonesOf().put(unit, EARLIER_MS);
      const nowMs = inDays(16);
      const slow = holdStore(store, { operation: 'get', key: /./, when: 'after' });
      await store.delete([keyOf(unit)]);
      const removing = tombstonesOf(slow.store, nowMs).removeExpired(listed(unit));
      await slow.hold.reached;
      await tombstonesOf().put(unit, nowMs);
      slow.hold.release();
      await removing;
      expect(await tombstonesOf().read(unit)).toBe(nowMs);
    });

    it('are not removed when the unit was purged again after they were listed', async () => {
      const unit = randomUUID();
      await tombstonesOf().put(unit, EARLIER_MS);
      await tombstonesOf(store, inDays(14)).removeExpired(listed(unit));
      expect(await tombstonesOf().read(unit)).toBe(EARLIER_MS);
    });

    function listed(unit: string): ListedTombstone {
      return { key: keyOf(unit), createdAtMs: EARLIER_MS, isExpired: true };
    }
  });
}
