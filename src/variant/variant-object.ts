import type { SourceFacts } from '../decode/image-type.ts';
import { type Effort, type EncodedImage, RECIPE } from '../encode/encoder.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import { encodeWorkStart, type WorkStart } from '../protocol/work-start.ts';
import type { ObjectInfo, StoredInfo } from '../store/store.ts';

// What is stored with a variant: its headers, and metadata that saves a second object about its source.

export interface VariantInfoInputs {
  encoded: EncodedImage;
  source: SourceFacts;
  /** Comma-separated, as `variantAddress` returns them. */
  cacheTag: string;
  /** The `Cache-Control` of variants of effort `best`. CDNs keep those of `fast` for a day at most. */
  cacheControl: string;
  /** Whether variants of effort `fast` will soon be replaced, so that CDNs keep them for a minute. */
  upgrades: boolean;
  /** Who had it made. */
  madeFor: Requester;
  /** The budget that it was made for. */
  maxBytes: number | undefined;
  /** When the work started. */
  start: WorkStart;
}

/** Who has a variant made. One that was made for a viewer and then at a better effort is still one that a viewer asked for. */
export type Requester = 'viewer' | 'prewarm';

const FOR_VIEWER = ' viewer';

/** Returns what to store with a variant. */
export function variantInfo(inputs: VariantInfoInputs): Required<ObjectInfo> {
  const { encoded, source, cacheTag, cacheControl, upgrades, madeFor, maxBytes, start } = inputs;
  return {
    contentType: encoded.contentType,
    cacheControl: encoded.effort === 'fast' ? cacheControlOfFast(cacheControl, upgrades) : cacheControl,
    metadata: {
      [VARIANT_METADATA.cacheTag]: cacheTag,
      [VARIANT_METADATA.width]: String(encoded.width),
      [VARIANT_METADATA.height]: String(encoded.height),
      [VARIANT_METADATA.effort]: encoded.effort,
      ...(maxBytes !== undefined && { [VARIANT_METADATA.maxBytes]: String(maxBytes) }),
      [VARIANT_METADATA.sourceBytes]: String(source.bytes),
      [VARIANT_METADATA.sourceType]: source.contentType,
      [VARIANT_METADATA.sourceSize]: `${source.width}x${source.height}`,
      [VARIANT_METADATA.recipe]: madeFor === 'viewer' ? `${RECIPE}${FOR_VIEWER}` : String(RECIPE),
      [VARIANT_METADATA.startedAt]: encodeWorkStart(start),
    },
  };
}

type Metadata = Pick<StoredInfo, 'metadata'>;

/** Returns whether a stored variant was made with effort `fast`. */
export function isFast({ metadata }: Metadata): boolean {
  return metadata[VARIANT_METADATA.effort] === 'fast';
}

/**
 * Returns whether a stored variant was made by an earlier version of the encoder, so that it has to be made again. One of a later version
 * does not: while a deployment spreads, the two would replace each other's variants for ever.
 */
export function isStale({ metadata }: Metadata): boolean {
  const FIRST_RECIPE = 1;
  const [recipe] = (metadata[VARIANT_METADATA.recipe] ?? String(FIRST_RECIPE)).split(' ');
  return Number(recipe) < RECIPE;
}

/**
 * Returns who had a stored variant made. Versions that did not say it made a variant at effort `fast` for a viewer, unless prewarm was set to
 * that effort.
 *
 * @param prewarmEffort - the effort of prewarm, as far as it is known
 */
export function requesterOf({ metadata }: Metadata, prewarmEffort: Effort): Requester {
  if (metadata[VARIANT_METADATA.recipe]?.endsWith(FOR_VIEWER)) return 'viewer';
  return isFast({ metadata }) && prewarmEffort === 'best' ? 'viewer' : 'prewarm';
}

/** Returns whether a stored variant is to be made again at effort `best`. */
export function isUpgradeable(info: Metadata): boolean {
  return isFast(info) || isStale(info);
}

/** Returns the budget in bytes that a stored variant was made for, if there was one. */
export function budgetOf({ metadata }: Metadata): number | undefined {
  const maxBytes = metadata[VARIANT_METADATA.maxBytes];
  return maxBytes === undefined ? undefined : Number(maxBytes);
}

/** Returns the size of the source of a stored variant, in bytes; 0 if it is not known. */
export function sourceBytes({ metadata }: Metadata): number {
  return Number(metadata[VARIANT_METADATA.sourceBytes] ?? 0);
}

/** Returns the cache tag of its unit's group that a stored variant carries, if there is one. */
export function groupTagOf({ metadata }: Metadata): string | undefined {
  return metadata[VARIANT_METADATA.cacheTag]?.split(',')[2];
}

/** How long a CDN keeps a variant that will soon be replaced by a better one, or is not yet served from the store. */
const SHORT_SHARED_MAX_AGE_SECONDS = 60;

/** How long a CDN keeps a variant of effort `fast` at most: prewarm may replace it at any time, and a CDN that has it does not notice. */
const FAST_SHARED_MAX_AGE_SECONDS = 86_400;

function cacheControlOfFast(cacheControl: string, upgrades: boolean): string {
  if (upgrades) return withShortSharedMaxAge(cacheControl);
  return (sharedMaxAge(cacheControl) ?? 0) > FAST_SHARED_MAX_AGE_SECONDS
    ? withShortSharedMaxAge(cacheControl, FAST_SHARED_MAX_AGE_SECONDS)
    : cacheControl;
}

/** Returns how long shared caches keep a response, in seconds, if it says so. */
function sharedMaxAge(cacheControl: string): number | undefined {
  const [, seconds] = /\bs-maxage=(\d+)/i.exec(cacheControl) ?? /\bmax-age=(\d+)/i.exec(cacheControl) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

/**
 * Shortens `s-maxage` so that a CDN comes back after a minute, or another time, while devices keep what they have for as long as before. It never
 * lengthens a lifetime, and returns what no CDN may keep unchanged.
 */
export function withShortSharedMaxAge(
  cacheControl: string,
  maxSeconds = SHORT_SHARED_MAX_AGE_SECONDS,
): string {
  if (/\b(no-store|private)\b/i.test(cacheControl)) return cacheControl;
  const [directive] = /\bs-maxage=\d+/i.exec(cacheControl) ?? [];
  const seconds = sharedMaxAge(cacheControl) ?? SHORT_SHARED_MAX_AGE_SECONDS;
  const shortened = `s-maxage=${Math.min(maxSeconds, seconds)}`;
  return directive === undefined
    ? `${cacheControl}, ${shortened}`
    : cacheControl.replace(directive, shortened);
}

/**
 * Shortens the lifetimes of a `Cache-Control` so that no cache keeps the response for longer than this, stale or not.
 *
 * @param seconds - `undefined` for no limit
 */
export function withMaxAge(cacheControl: string, seconds: number | undefined): string {
  if (seconds === undefined) return cacheControl;
  return cacheControl
    .replace(/,?\s*\bstale-(?:while-revalidate|if-error)=\d+/gi, '')
    .replace(
      /\b(max-age=|s-maxage=)(\d+)/gi,
      (_, name: string, age: string) => `${name}${Math.min(Number(age), seconds)}`,
    );
}
