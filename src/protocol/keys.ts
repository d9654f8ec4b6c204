import type { Format, Tier } from './request.ts';

/** SHA-256 of a text's UTF-8 bytes, in lower-case hex. Handed in, since each runtime has its own. */
export type Sha256 = (text: string) => string;

/** One compressed form of one source in one unit. */
export interface VariantName {
  unit: string;
  src: string;
  /** A rung of the ladder, in pixels. */
  width: number;
  tier: Tier;
  format: Format;
}

/** Where a variant, and all that is kept beside it, is found. */
export interface VariantAddress {
  /** `v1/{shard}/{unit}/{source}/{width}-{tier}.{format}` */
  key: string;
  /** The source's record, there only when it is broken. */
  recordKey: string;
  /** What a CDN may be asked to forget the variant by: its unit's tag and its source's, comma-separated. */
  cacheTag: string;
}

/** Where all that is kept of a unit is found. */
export interface UnitAddress {
  /** `v1/{shard}/{unit}`: everything but the mark is below it. */
  folder: string;
  /** The unit's sources as prewarm received them. */
  manifestKey: string;
  /** When the unit was last purged. It outlives the purge, so it is not in the folder. */
  tombstoneKey: string;
  /** The tag of all of its variants. */
  cacheTag: string;
}

/** Names a unit's places in the store. One prefix holds all of a unit; the shard spreads units over S3 partitions. */
export function unitAddress(unit: string, sha256: Sha256): UnitAddress {
  const hash = sha256(unit);
  const name = hash.slice(0, 32);
  const folder = `v1/${hash.slice(0, 2)}/${unit}`;
  return {
    folder,
    manifestKey: `${folder}/manifest.json`,
    tombstoneKey: `purged/${name}`,
    cacheTag: `u-${name}`,
  };
}

/**
 * Names a variant's place in the store.
 *
 * @param name - `unit` and `src` as the URL gave them; `src` is not normalised, so two spellings are two sources
 */
export function variantAddress(name: VariantName, sha256: Sha256): VariantAddress {
  const unit = unitAddress(name.unit, sha256);
  const source = sha256(name.src).slice(0, 32);
  const folder = `${unit.folder}/${source}`;
  return {
    key: `${folder}/${name.width}-${name.tier}.${name.format}`,
    recordKey: `${folder}/source.json`,
    cacheTag: `${unit.cacheTag},s-${source}`,
  };
}
