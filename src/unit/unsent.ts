import pMap from 'p-map';
import { parseVariantKey, SOURCE_RECORD_NAME, unitAddress } from '../protocol/keys.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import type { StoredInfo } from '../store/store.ts';
import type { InventoryServices } from './inventory.ts';
import { sourceBytesOf, summarizeVariant, type VariantSummary } from './outcome.ts';
import { type BrokenStatus, totalsOf, type UnitStatus } from './status.ts';

/**
 * What the store has of a unit that was never sent, or was purged since: what viewers have asked for. Its images are known by the hash of
 * their source only, as in the keys of the store, and so without URLs.
 */
export interface UnsentUnit {
  id: string;
  state: 'unsent';
  images: readonly UnsentImage[];
  totals: UnitStatus['totals'];
}

/** `ready`: there are variants. */
export type UnsentImage = { source: string } & (
  | { state: 'ready'; sourceBytes: number; variants: readonly UnsentVariant[] }
  | BrokenStatus
);

export interface UnsentVariant extends VariantSummary {
  effort: string;
}

/** Returns what the store has of a unit without a manifest; `undefined`: nothing. */
export type ReadUnsent = (id: string) => Promise<UnsentUnit | undefined>;

const LOOKUP_CONCURRENCY = 16;

type FoundVariant = UnsentVariant & { info: StoredInfo };

export function createReadUnsent({ store, records, sha256 }: InventoryServices): ReadUnsent {
  async function readVariant(key: string): Promise<FoundVariant[]> {
    const spec = parseVariantKey(key);
    const info = spec && (await store.head(key));
    if (!info) return [];
    const effort = info.metadata[VARIANT_METADATA.effort] ?? 'fast';
    return [{ info, ...summarizeVariant(spec, info, undefined), effort }];
  }

  async function readImage(source: string, keys: readonly string[]): Promise<UnsentImage[]> {
    const found = (await pMap(keys, readVariant, { concurrency: LOOKUP_CONCURRENCY })).flat();
    if (found.length > 0) {
      const variants = found.map(({ info: _info, ...variant }) => variant);
      return [
        { source, state: 'ready', sourceBytes: sourceBytesOf(found.map(({ info }) => info)), variants },
      ];
    }
    const recordKey = keys.find((key) => key.endsWith(`/${SOURCE_RECORD_NAME}`));
    const record = recordKey === undefined ? undefined : await records.read(recordKey, '');
    if (!record) return [];
    const { code, detail, since, retryable, nextAttempt } = record;
    return [{ source, state: 'broken', code, detail, since, retryable, nextAttempt }];
  }

  return async (id) => {
    const keysBySource = new Map<string, string[]>();
    const { folder } = unitAddress(id, sha256);
    for await (const { key } of store.list(folder)) {
      const [source = '', name] = key.slice(folder.length + 1).split('/');
      if (name !== undefined) keysBySource.set(source, [...(keysBySource.get(source) ?? []), key]);
    }
    const images: UnsentImage[] = [];
    for (const [source, keys] of keysBySource) images.push(...(await readImage(source, keys)));
    return images.length > 0 ? { id, state: 'unsent', images, totals: totalsOf(images) } : undefined;
  };
}
