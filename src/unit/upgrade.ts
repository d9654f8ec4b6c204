import { LRUCache } from 'lru-cache';
import { EdgepressError } from '../protocol/error.ts';
import { type Sha256, variantAddress } from '../protocol/keys.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import { decodeWorkStart } from '../protocol/work-start.ts';
import type { Job, VariantUpgrade } from '../queue/queue.ts';
import type { VariantStore } from '../store/store.ts';
import type { RequestUpgrade } from '../variant/get-variant.ts';
import type { MakeVariants } from '../variant/make-variants.ts';
import { createTrace } from '../variant/trace.ts';
import { budgetOf, groupTagOf, isUpgradeable, requesterOf } from '../variant/variant-object.ts';
import type { BoundedFetch } from './bounded-fetch.ts';
import { clientOf } from './client-of.ts';

export interface UpgradeServices {
  store: Pick<VariantStore, 'head'>;
  sha256: Sha256;
  /** Creates the fetch of one source. */
  createFetch: () => BoundedFetch;
  makeVariants: MakeVariants;
}

/**
 * Makes a variant again at effort `best` that was made at `fast` for a viewer, or with an earlier recipe, and replaces only that one: it stores nothing if the
 * variant was purged, and never replaces a newer one. If the source is broken by now, the variant stays.
 *
 * @throws the error of the store, or of the encoder: the job has to be retried
 */
export type Upgrade = (unit: Job['unit'], upgrade: VariantUpgrade) => Promise<void>;

export function createUpgrade({ store, sha256, createFetch, makeVariants }: UpgradeServices): Upgrade {
  return async (unit, { src, ...spec }) => {
    const { key } = variantAddress({ unit, src, ...spec }, sha256);
    const current = await store.head(key);
    if (!current || !isUpgradeable(current)) return;
    const { fetch, release } = createFetch();
    try {
      await makeVariants(
        {
          ...{ unit, src, fetch, specs: [spec], record: undefined },
          ...{ effort: 'best', maxBytes: budgetOf(current), urgency: 'prewarm' },
          madeFor: requesterOf(current, 'best'),
          // A purge since the variant was first requested wins.
          start: decodeWorkStart(current.metadata[VARIANT_METADATA.startedAt]) ?? { atMs: 0, lastPurgeMs: 0 },
          groupTag: groupTagOf(current),
          replaces: current.etag,
        },
        createTrace(),
      );
    } catch (error) {
      if (!(error instanceof EdgepressError && error.code.startsWith('source_'))) throw error;
    } finally {
      release();
    }
  };
}

/** How many requested upgrades are remembered; those requested longest ago are forgotten first. */
const MAX_REMEMBERED = 10_000;

/**
 * Returns a function that requests the upgrade of a variant once, however often the variant is served.
 *
 * @param send - puts a job on the queue
 */
export function createRequestUpgrade(send: (job: Job) => Promise<void>): RequestUpgrade {
  const requested = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  return ({ unit, src, width, tier, format }, key) => {
    if (requested.has(key)) return;
    requested.set(key, true);
    const upgrade = { src, width, tier, format };
    // An upgrade that could not be sent is requested again when the variant is served again.
    send({ unit, images: 1, retry: false, upgrade, client: clientOf({ images: [upgrade] }) }).catch(() =>
      requested.delete(key),
    );
  };
}
