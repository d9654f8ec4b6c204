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

/**
 * Names a variant's place in the store. One prefix holds all of a unit; the shard spreads units over S3 partitions.
 *
 * @param name - `unit` and `src` as the URL gave them; `src` is not normalised, so two spellings are two sources
 */
export function variantAddress(name: VariantName, sha256: Sha256): VariantAddress {
  const unitHash = sha256(name.unit);
  const source = sha256(name.src).slice(0, 32);
  const folder = `v1/${unitHash.slice(0, 2)}/${name.unit}/${source}`;
  return {
    key: `${folder}/${name.width}-${name.tier}.${name.format}`,
    recordKey: `${folder}/source.json`,
    cacheTag: `u-${unitHash.slice(0, 32)},s-${source}`,
  };
}
