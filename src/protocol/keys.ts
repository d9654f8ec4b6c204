import { FORMATS, type Format, TIERS, type Tier } from './request.ts';

// The layout of the store: every prefix, fixed key and file name, and the cache tags that go with them. `docs/architecture.md` shows
// it as a table.

/** First segment of the keys of variants, and of the manifests and source records beside them. */
export const VARIANT_PREFIX = 'v1';
/** How many shards the units are spread over: the values of the two hex digits that are the second segment of a variant's key. */
export const SHARDS = 256;
/** First segment of the keys of tombstones: when a unit was last purged. */
export const TOMBSTONE_PREFIX = 'purged';
/** Beside the tombstones: the time of the last purge of any unit. */
export const PURGE_CLOCK_KEY = 'purged/last';
/** First segment of the keys of jobs, where the queue is kept in the store. */
export const QUEUE_PREFIX = 'queue';
/** First segment of the keys of jobs that failed too often. */
export const DEAD_LETTER_PREFIX = 'dead-letters';
/** First segment of the keys of notes about submissions that are under way: units whose jobs may not be on the queue yet. */
export const SUBMISSION_PREFIX = 'submissions';
/** First segment of the keys of notes about jobs of an SQS queue that are tried for the last time. */
export const LAST_ATTEMPT_PREFIX = 'last-attempts';
/** First segment of the keys of the index from groups to units. */
export const GROUP_PREFIX = 'groups';
/** First segment of the keys of packs: manifests of many units in one object, until the work on each unit begins. */
export const PACK_PREFIX = 'packs';
/** First segment of the keys of events that wait to be sent to the targets of `NOTIFY`. */
export const EVENT_PREFIX = 'events';
/** First segment of the keys of the marks that say which state each unit is in. */
export const STATE_PREFIX = 'states';
/** Sent and not worked on since; or how the last work on it ended: all images ready, some broken, given up. */
export const UNIT_STATES = ['pending', 'ready', 'broken', 'failed'] as const;
export type UnitState = (typeof UNIT_STATES)[number];
/** First segment of the keys of leases: who works on the queue in the store, and who fetches from which host. */
export const LEASE_PREFIX = 'leases';
/** Who works on the queue, where it is kept in the store. */
export const QUEUE_LEASE_KEY = `${LEASE_PREFIX}/queue.json`;
/** First segment of the keys of the images that `npm run smoke` puts into the bucket for a moment. */
export const SMOKE_PREFIX = 'smoke';
/** How far the sweep after purges has come. */
export const SWEEP_PROGRESS_KEY = 'swept.json';
/** In a unit's folder: its sources, as prewarm received them. */
export const MANIFEST_NAME = 'manifest.json';
/** In a unit's folder, while a large unit is worked on in parts: what became of the images of each part. */
export const PARTS_FOLDER = 'parts';
/** In a source's folder, only while the source is broken: why, and when to try it again. */
export const SOURCE_RECORD_NAME = 'source.json';

/**
 * SHA-256 of a text's UTF-8 bytes, in lower-case hex. Passed in, since each runtime has its own. Of a source, it is that of its identity;
 * see `sourceIdentity`.
 */
export type Sha256 = (text: string) => string;

/** Which variant of a source: the part of its name that can be chosen. */
export interface VariantSpec {
  /** A rung of the ladder, in pixels. */
  width: number;
  tier: Tier;
  format: Format;
}

/** One variant of one source in one unit. */
export interface VariantName extends VariantSpec {
  unit: string;
  /** As the URL gave it, not normalised: two spellings are two sources, but for parameters that are ignored. */
  src: string;
}

/** Where a variant is found. */
export interface VariantAddress {
  /** `v1/{shard}/{unit}/{source}/{width}-{tier}.{format}` */
  key: string;
  /** Key of the source record. The object exists only while the source is broken. */
  recordKey: string;
  /** The tags by which a CDN invalidates the variant: its unit's and its source's, comma-separated. */
  cacheTag: string;
}

/** Where everything of a unit is found. */
export interface UnitAddress {
  /** `v1/{shard}/{unit}`: everything of the unit except its tombstone is below it. */
  folder: string;
  manifestKey: string;
  /** Outside the folder, because it outlives the purge. */
  tombstoneKey: string;
  /** The keys of the marks of each state, of which most are not there. */
  stateKeys: readonly string[];
}

/** Returns a unit's keys. One prefix holds all of a unit; the shard spreads units over S3 partitions. */
export function unitAddress(unit: string, sha256: Sha256): UnitAddress {
  const unitHash = sha256(unit);
  const folder = unitFolder(unit, unitHash);
  return {
    folder,
    manifestKey: `${folder}/${MANIFEST_NAME}`,
    tombstoneKey: `${TOMBSTONE_PREFIX}/${shorten(unitHash)}`,
    stateKeys: UNIT_STATES.map((state) => unitStateKey(state, unit, sha256)),
  };
}

/**
 * Returns the key of the mark that a unit is in a state: `states/{state}/{shard}/{unit}`, so that the units of a state can be listed without
 * reading any.
 */
export function unitStateKey(state: UnitState, unit: string, sha256: Sha256): string {
  return `${STATE_PREFIX}/${state}/${sha256(unit).slice(0, 2)}/${unit}`;
}

/** Returns a variant's keys and cache tags. */
export function variantAddress(name: VariantName, sha256: Sha256): VariantAddress {
  const unitHash = sha256(name.unit);
  const source = shorten(sha256(name.src));
  const folder = `${unitFolder(name.unit, unitHash)}/${source}`;
  return {
    key: variantKey(folder, name),
    recordKey: sourceRecordKey(folder),
    cacheTag: `${unitTag(unitHash)},s-${source}`,
  };
}

/**
 * Returns the folder of the variants of a source. Who needs the keys of many variants hashes each source once with it.
 *
 * @param folder - of the unit
 */
export function sourceFolder(folder: string, src: string, sha256: Sha256): string {
  return `${folder}/${shorten(sha256(src))}`;
}

/** Returns the key of a variant in the folder of its source. */
export function variantKey(folder: string, spec: VariantSpec): string {
  return `${folder}/${spec.width}-${spec.tier}.${spec.format}`;
}

/** Returns the key of the source record in the folder of its source. */
export function sourceRecordKey(folder: string): string {
  return `${folder}/${SOURCE_RECORD_NAME}`;
}

/** Returns the cache tag that all variants of a unit share. */
export function unitCacheTag(unit: string, sha256: Sha256): string {
  return unitTag(sha256(unit));
}

/** Returns the cache tag that all variants of a group of units share. */
export function groupCacheTag(group: string, sha256: Sha256): string {
  return `g-${shorten(sha256(group))}`;
}

/** Returns the folder of the index of a group. */
export function groupFolder(group: string, sha256: Sha256): string {
  return `${GROUP_PREFIX}/${shorten(sha256(group))}`;
}

/** Returns the key of the leases of a host: who may fetch from it, for bulk work. */
export function hostLeasesKey(host: string, sha256: Sha256): string {
  return `${LEASE_PREFIX}/hosts/${shorten(sha256(host))}.json`;
}

const VARIANT_FILE = /\/([1-9][0-9]{0,4})-([a-z]+)\.([a-z]+)$/;

/** Reads width, tier and format from a variant's key; `undefined` for a key of anything else. */
export function parseVariantKey(key: string): VariantSpec | undefined {
  const match = VARIANT_FILE.exec(key);
  if (!match) return undefined;
  const tier = match[2] as Tier;
  const format = match[3] as Format;
  const isKnown = TIERS.indexOf(tier) >= 0 && FORMATS.indexOf(format) >= 0;
  return isKnown ? { width: Number(match[1]), tier, format } : undefined;
}

/** Returns the unit of a key below `VARIANT_PREFIX`; `undefined` for any other key. */
export function unitOfKey(key: string): string | undefined {
  const segments = key.split('/');
  return segments[0] === VARIANT_PREFIX ? segments[2] : undefined;
}

function unitFolder(unit: string, unitHash: string): string {
  return `${VARIANT_PREFIX}/${unitHash.slice(0, 2)}/${unit}`;
}

function unitTag(unitHash: string): string {
  return `u-${shorten(unitHash)}`;
}

/** Half of a SHA-256 in hex: 128 bits are enough to tell names apart. */
function shorten(hash: string): string {
  return hash.slice(0, 32);
}
