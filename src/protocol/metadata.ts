// The names of the metadata that objects are stored with. Apart from `keys.ts`, so that none of it is in the edge function's bundle.

/** What is stored with each variant. CloudFront can keep ten names from viewers, so a value that nothing reads alone shares its name. */
export const VARIANT_METADATA = {
  /** When the work started, ISO 8601, and the time of the unit's tombstone at that moment: a purge removes what started before it. */
  startedAt: 'began',
  effort: 'effort',
  /** The budget that the variant was made for, in bytes; not set without a budget. */
  maxBytes: 'max-bytes',
  sourceBytes: 'source-bytes',
  /** The content type of the source. */
  sourceType: 'source-type',
  /** `{width}x{height}` in pixels, as are all widths and heights. */
  sourceSize: 'source-size',
  /** The version of the encoder, not set by the first; and behind a space `viewer`, if a viewer asked for the variant before prewarm made it. */
  recipe: 'recipe',
  width: 'width',
  height: 'height',
  /** The cache tags, comma-separated. */
  cacheTag: 'cache-tag',
} as const;

/** What is stored with each tombstone. */
export const TOMBSTONE_METADATA = {
  /** The id of the unit: the key has only its hash. */
  unit: 'unit',
} as const;

/** Returns the response header in which S3 sends metadata. */
export function metadataHeader(name: string): string {
  return `x-amz-meta-${name}`;
}

/** The response header in which CloudFront looks up the cache tags that a purge names. */
export const CACHE_TAG_HEADER = metadataHeader(VARIANT_METADATA.cacheTag);
