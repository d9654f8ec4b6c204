import type { Cdn } from '../../../src/cdn/cdn.ts';
import { sha256 } from '../../../src/hashing.ts';
import { unitAddress } from '../../../src/protocol/keys.ts';
import { encodeWorkStart, type WorkStart } from '../../../src/protocol/work-start.ts';
import { createPurge } from '../../../src/purge/purge.ts';
import { createPurgeSweep } from '../../../src/purge/sweep.ts';
import { createTombstones } from '../../../src/purge/tombstones.ts';
import { createFileStore } from '../../../src/store/file-store.ts';
import type { VariantStore } from '../../../src/store/store.ts';
import { encodeManifest, manifestOf } from '../../../src/unit/manifest.ts';
import { makeFolder } from '../store/folder.ts';

/**
 * A folder, a clock that the test sets, and all that purges in that folder. `steps` has each change of the store and each
 * invalidation, in order.
 *
 * @param wrap - what the store does differently
 */
export async function setUpPurging(wrap: (store: VariantStore) => VariantStore = (store) => store) {
  const folder = await makeFolder();
  const steps: string[] = [];
  const clock = { ms: Date.parse('2026-01-01T00:00:00Z') };
  const files = createFileStore({ root: folder });
  const wrapped = wrap(files);
  const store: VariantStore = {
    ...wrapped,
    put: (key, ...rest) => {
      steps.push(`put ${firstSegment(key)}`);
      return wrapped.put(key, ...rest);
    },
    replace: (key, ...rest) => {
      steps.push(`put ${firstSegment(key)}`);
      return wrapped.replace(key, ...rest);
    },
    delete: (keys) => {
      steps.push(`delete ${keys.length}`);
      return wrapped.delete(keys);
    },
    deleteIfMatch: (key, etag) => {
      steps.push('delete 1');
      return wrapped.deleteIfMatch(key, etag);
    },
  };
  const cdn: Cdn = {
    invalidate: async (tags) => {
      steps.push(`invalidate ${tags.join(' ')}`);
      return [{ id: 'I1', tags: tags.length }];
    },
    wait: async () => {},
    close: () => {},
  };
  const nowMs = () => clock.ms;
  const tombstones = createTombstones(store, sha256, nowMs);
  const sweep = createPurgeSweep({
    ...{ store, tombstones, sha256, nowMs },
    invalidate: (unit) => steps.push(`invalidate ${unit}`),
    onError: (_operation, key) => steps.push(`error ${key}`),
  });
  const purge = createPurge({ store, tombstones, cdn, sha256, nowMs });
  return {
    ...{ folder, store, steps, clock, tombstones, sweep, purge },
    /** Stores variants of a unit, by work that started like this; without it they do not say. */
    async putVariants(unit: string, count: number, start?: WorkStart): Promise<void> {
      const metadata = start ? { began: encodeWorkStart(start) } : {};
      for (let number = 1; number <= count; number++) {
        const key = `${unitAddress(unit, sha256).folder}/${'a'.repeat(32)}/${number}-high.avif`;
        await files.put(key, new Uint8Array(100), { contentType: 'image/avif', metadata });
      }
    },
    /** Stores the manifest of a unit that is submitted now. */
    async putManifest(unit: string): Promise<void> {
      const { manifestKey } = unitAddress(unit, sha256);
      const start = await sweep.beginWork(unit);
      const manifest = encodeManifest(
        manifestOf({ id: unit, images: [], widths: [], tiers: [], formats: [] }, start),
      );
      await files.put(manifestKey, manifest, { contentType: 'application/json' });
    },
  };
}

function firstSegment(key: string): string {
  return key.split('/')[0] ?? '';
}
