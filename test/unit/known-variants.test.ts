import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitStateKey, variantAddress } from '../../src/protocol/keys.ts';
import { VARIANT_METADATA } from '../../src/protocol/metadata.ts';
import { decodeWorkStart } from '../../src/protocol/work-start.ts';
import type { StoredInfo } from '../../src/store/store.ts';
import { encodeKnownVariants, readKnownVariants } from '../../src/unit/known-variants.ts';
import {
  budgetOf,
  isFast,
  isStale,
  requesterOf,
  sourceBytes,
  variantInfo,
} from '../../src/variant/variant-object.ts';
import { createMemoryStore } from '../support/store/memory-store.ts';

const VARIANT = {
  unit: 'unit-1',
  src: 'https://x.test/a',
  width: 160,
  tier: 'saver',
  format: 'webp',
} as const;
const { key: KEY, cacheTag } = variantAddress(VARIANT, sha256);
const INFO = variantInfo({
  encoded: {
    body: new Uint8Array(9),
    contentType: 'image/webp',
    width: 160,
    height: 90,
    effort: 'fast',
    score: undefined,
    isOriginal: false,
  },
  source: { bytes: 4711, contentType: 'image/jpeg', width: 320, height: 180 },
  ...{ cacheTag, cacheControl: 'public', upgrades: false, madeFor: 'viewer', maxBytes: 50_000 },
  start: { atMs: 1_795_900_000_000, lastPurgeMs: 0 },
});

/** Writes the mark of a result about the variant, and returns what is known from it. */
async function readBack(result: 'ready' | 'broken') {
  const store = createMemoryStore();
  const variants = [{ key: KEY, info: { ...INFO, etag: '"1"' } }];
  await store.put(unitStateKey(result, 'unit-1', sha256), encodeKnownVariants('unit-1', variants, sha256), {
    contentType: 'application/json',
  });
  return (await readKnownVariants(store, 'unit-1', sha256)).get(KEY);
}

describe('the mark of a result', () => {
  it('says all of a variant that the work on units asks of it', async () => {
    const factsOf = (info: Pick<StoredInfo, 'metadata'>) => ({
      ...{ fast: isFast(info), stale: isStale(info), requester: requesterOf(info, 'fast') },
      ...{ budget: budgetOf(info), sourceBytes: sourceBytes(info) },
      start: decodeWorkStart(info.metadata[VARIANT_METADATA.startedAt]),
    });
    const known = await readBack('ready');
    expect(known).toMatchObject({ etag: '"1"', contentType: 'image/webp' });
    expect(factsOf(known ?? { metadata: {} })).toEqual(factsOf(INFO));
  });

  it('is read of a unit with broken images, too', async () => {
    expect(await readBack('broken')).toBeDefined();
  });
});
