import { percentEncode } from '../client/image-url.ts';
import { EdgepressError } from '../protocol/error.ts';
import {
  FORMATS,
  type Format,
  IMAGE_PATH_PREFIX,
  parseRequest,
  TIERS,
  type Tier,
} from '../protocol/request.ts';
import type { SourceFetcher } from '../source/source.ts';

/** Which variants are made of each image of a unit: all combinations. */
export interface WantedVariants {
  /** Rungs of the ladder, ascending. */
  readonly widths: readonly number[];
  readonly tiers: readonly Tier[];
  readonly formats: readonly Format[];
}

/** One image of a unit. */
export interface UnitImage {
  /** As it was submitted: whether it is a valid URL is checked when its variants are made. */
  src: string;
  /** The name that its unit gives it. */
  name?: string | undefined;
}

/** One ingested item, as it was submitted. */
export interface Unit extends WantedVariants {
  id: string;
  /** The budget of each variant, in bytes: quality is reduced to meet it, down to that of `saver`. */
  maxBytes?: number | undefined;
  /** The client or batch that it belongs to, by which it can be purged with others. */
  group?: string | undefined;
  images: readonly UnitImage[];
}

/** JSON can contain lone surrogates, which no URL can. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The longest that follows the source in an image URL of a unit: signed, with every parameter. */
const LONGEST_PARAMETERS = `&w=16383&q=${longestOf(TIERS)}&f=${longestOf(FORMATS)}&exp=9999999999&sig=${'k'.repeat(64)}.${'s'.repeat(43)}`;

/**
 * Asserts that an image URL could request this source, and that it may be fetched. Makes no request.
 *
 * @throws EdgepressError `bad_request` or `source_forbidden`
 */
export function assertImageAllowed(
  source: Pick<SourceFetcher, 'assertAllowed'>,
  unit: string,
  src: string,
): void {
  if (src === '')
    throw new EdgepressError('bad_request', 'the image is null or empty where its URL has to be');
  if (LONE_SURROGATE.test(src)) throw new EdgepressError('bad_request', 'the source is not valid Unicode');
  const target = `${IMAGE_PATH_PREFIX}${unit}?src=${percentEncode(src)}${LONGEST_PARAMETERS}`;
  const parsed = parseRequest(target);
  if (!parsed.ok) throw new EdgepressError(parsed.fault.code, parsed.fault.detail);
  source.assertAllowed(src);
}

function longestOf(names: readonly string[]): string {
  return names.reduce((longest, name) => (name.length > longest.length ? name : longest));
}
