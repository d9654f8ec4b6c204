import type { EncodedImage, SourceFacts } from '../encode/encoder.ts';
import { CACHE_TAG_METADATA } from '../protocol/keys.ts';
import type { ObjectInfo, StoredInfo } from '../store/store.ts';

// What is stored with a variant: its headers, and metadata that saves a second object about its source.

export interface VariantInfoInputs {
  encoded: EncodedImage;
  source: SourceFacts;
  /** Comma-separated, as `variantAddress` returns them. */
  cacheTag: string;
  /** The `Cache-Control` of variants that will not be replaced. */
  cacheControl: string;
  /** Whether variants of effort `fast` will soon be replaced. */
  upgrades: boolean;
  /** The budget that it was made for. */
  maxBytes: number | undefined;
  /** When the work started, in Unix milliseconds. */
  startedAtMs: number;
}

/** Returns what to store with a variant. */
export function variantInfo(inputs: VariantInfoInputs): Required<ObjectInfo> {
  const { encoded, source, cacheTag, cacheControl, upgrades, maxBytes, startedAtMs } = inputs;
  const willBeReplaced = upgrades && encoded.effort === 'fast';
  return {
    contentType: encoded.contentType,
    cacheControl: willBeReplaced ? withShortSharedMaxAge(cacheControl) : cacheControl,
    metadata: {
      [CACHE_TAG_METADATA]: cacheTag,
      width: String(encoded.width),
      height: String(encoded.height),
      effort: encoded.effort,
      ...(maxBytes !== undefined && { 'max-bytes': String(maxBytes) }),
      'source-bytes': String(source.bytes),
      'source-type': source.contentType,
      'source-width': String(source.width),
      'source-height': String(source.height),
      // A purge removes what started before it.
      began: new Date(startedAtMs).toISOString(),
    },
  };
}

type Metadata = Pick<StoredInfo, 'metadata'>;

/** Returns whether a stored variant was made with effort `fast`. */
export function isFast({ metadata }: Metadata): boolean {
  return metadata['effort'] === 'fast';
}

/** Returns the size of the source of a stored variant, in bytes; 0 if it is not known. */
export function sourceBytes({ metadata }: Metadata): number {
  return Number(metadata['source-bytes'] ?? 0);
}

/** How long a CDN keeps a variant that will soon be replaced by a better one, or is not yet served from the store. */
const SHORT_SHARED_MAX_AGE_SECONDS = 60;

/**
 * Shortens `s-maxage` so that a CDN comes back after a minute, while devices keep what they have for as long as before. It never
 * lengthens a lifetime, and returns what no CDN may keep unchanged.
 */
export function withShortSharedMaxAge(cacheControl: string): string {
  if (/\b(no-store|private)\b/i.test(cacheControl)) return cacheControl;
  const [directive, sharedSeconds] = /\bs-maxage=(\d+)/i.exec(cacheControl) ?? [];
  const [, ownSeconds] = /\bmax-age=(\d+)/i.exec(cacheControl) ?? [];
  const seconds = Number(sharedSeconds ?? ownSeconds ?? SHORT_SHARED_MAX_AGE_SECONDS);
  const shortened = `s-maxage=${Math.min(SHORT_SHARED_MAX_AGE_SECONDS, seconds)}`;
  return directive === undefined
    ? `${cacheControl}, ${shortened}`
    : cacheControl.replace(directive, shortened);
}
