import { LRUCache } from 'lru-cache';
import { EdgepressError } from '../protocol/error.ts';
import { type Sha256, variantAddress } from '../protocol/keys.ts';
import type { Job, VariantUpgrade } from '../queue/queue.ts';
import type { VariantStore } from '../store/store.ts';
import type { RequestUpgrade } from '../variant/get-variant.ts';
import type { MakeVariants } from '../variant/make-variants.ts';
import { createTrace } from '../variant/trace.ts';
import type { RetryingFetch } from './bounded-fetch.ts';

export interface UpgradeServices {
  store: Pick<VariantStore, 'head'>;
  sha256: Sha256;
  fetches: () => RetryingFetch;
  makeVariants: MakeVariants;
}

/**
 * Makes a variant anew, as good as can be, that was made quickly for a viewer, and puts it in the place of that one alone: never where
 * a purge has left nothing, and never over a newer one. A source that is broken by now leaves what there is.
 *
 * @throws what of ours failed
 */
export type Upgrade = (unit: Job['unit'], upgrade: VariantUpgrade) => Promise<void>;

export function createUpgrade({ store, sha256, fetches, makeVariants }: UpgradeServices): Upgrade {
  return async (unit, { src, ...choice }) => {
    const { key } = variantAddress({ unit, src, ...choice }, sha256);
    const quick = await store.head(key);
    if (quick?.metadata['effort'] !== 'fast') return;
    const { fetch, letGo } = fetches();
    try {
      const order = { unit, src, fetch, choices: [choice], effort: 'best', urgency: 'prewarm' } as const;
      const startedAtMs = Date.parse(quick.metadata['began'] ?? '') || 0;
      await makeVariants({ ...order, startedAtMs, record: undefined, replaces: quick.etag }, createTrace());
    } catch (error) {
      if (!(error instanceof EdgepressError && error.code.startsWith('source_'))) throw error;
    } finally {
      letGo();
    }
  };
}

/** Of so many it is remembered that they were asked for; those asked longest ago are forgotten first. */
const MAX_REMEMBERED = 10_000;

/**
 * Makes what asks for each variant once, however many are served.
 *
 * @param send - puts a job on the queue, and fails when it is not there
 */
export function createRequestUpgrade(send: (job: Job) => Promise<void>): RequestUpgrade {
  const asked = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  return ({ unit, src, width, tier, format }, key) => {
    if (asked.has(key)) return;
    asked.set(key, true);
    const upgrade = { src, width, tier, format };
    // What could not be sent is asked for again when it is served again.
    send({ unit, images: 1, retry: false, upgrade }).catch(() => asked.delete(key));
  };
}
