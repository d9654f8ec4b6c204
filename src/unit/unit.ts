import { z } from 'zod';
import { EdgepressError } from '../protocol/error.ts';
import { type Ladder, rungsFor } from '../protocol/negotiation.ts';
import {
  FORMATS,
  type Format,
  IMAGE_PATH_PREFIX,
  isUnit,
  parseRequest,
  TIERS,
  type Tier,
  UNIT_RULE,
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
  images: readonly UnitImage[];
}

/** The ladder, and the variants of a unit that does not say which it wants. */
export interface UnitDefaults {
  ladder: Ladder;
  prewarm: WantedVariants;
}

/** A unit with more is a mistake, and a job that no worker could finish. */
const MAX_IMAGES = 1000;
/** In UTF-16 units: more than twice what a source may have, so that a longer one need not be stored to be reported. */
const MAX_SRC_LENGTH = 8192;
const MAX_NAME_LENGTH = 1024;
/** Of widths, tiers or formats. */
const MAX_CHOICES = 100;

const sourceText = z
  .string('is not a string')
  .max(MAX_SRC_LENGTH, `is longer than ${MAX_SRC_LENGTH} characters`);
const image = z.object({ src: sourceText, name: z.string().max(MAX_NAME_LENGTH, 'is too long').optional() });

/** The length is checked before the entries, so that 100,000 wrong entries do not give as many messages. */
function listOf<T>(entry: z.ZodType<T>, maxLength: number, message = 'must be a list') {
  return z
    .array(z.unknown(), message)
    .min(1, 'is empty')
    .max(maxLength, `has more than ${maxLength} entries`)
    .pipe(z.array(entry));
}

function someOf<T extends string>(names: readonly T[]) {
  return listOf(z.enum(names, `must be one of ${names.join(', ')}`), MAX_CHOICES).optional();
}

const unitSchema = z.object(
  {
    id: z.string('is missing, or not a string').refine(isUnit, `must be ${UNIT_RULE}`),
    images: z.preprocess(
      toImageList,
      listOf(image, MAX_IMAGES, 'is missing: a list of URLs, or an object of name → URL'),
    ),
    widths: listOf(
      z.int('must be a whole number of pixels').min(1, 'must be 1 or more'),
      MAX_CHOICES,
    ).optional(),
    tiers: someOf(TIERS),
    formats: someOf(FORMATS),
    maxBytes: z.int('must be a whole number of bytes').min(1, 'must be 1 or more').optional(),
  },
  'it is not a JSON object',
);

/**
 * Reads a unit from JSON: `{"id": …, "images": [url, …] or {name: url}}`, or with `key_urls_map` instead of `images`, as in 2017; and
 * optionally `widths`, `formats`, `tiers`, `maxBytes`. Other properties are ignored.
 *
 * @throws Error that says what is wrong and where
 */
export function parseUnit(value: unknown, { ladder, prewarm }: UnitDefaults): Unit {
  const parsed = unitSchema.safeParse(withImages(value));
  if (!parsed.success) throw new Error(parsed.error.issues.map(formatIssue).join('; '));
  const { id, images, widths, tiers, formats, maxBytes } = parsed.data;
  return {
    id,
    images,
    widths: widths ? rungsFor(widths, ladder.widths) : prewarm.widths,
    tiers: tiers ? [...new Set(tiers)] : prewarm.tiers,
    formats: formats ? [...new Set(formats)] : prewarm.formats,
    ...(maxBytes !== undefined && { maxBytes }),
  };
}

/** Renames `key_urls_map` to `images`. */
function withImages(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return 'key_urls_map' in value && !('images' in value) ? { ...value, images: value.key_urls_map } : value;
}

function toImageList(images: unknown): unknown {
  if (typeof images !== 'object' || images === null) return images;
  // That there are too many is said later: a line of a megabyte may have half a million.
  if (Array.isArray(images)) return images.slice(0, MAX_IMAGES + 1).map((src: unknown) => ({ src }));
  return Object.entries(images).map(([name, src]: [string, unknown]) => ({ src, name }));
}

function formatIssue({ path, message }: z.core.$ZodIssue): string {
  const where = path.filter((step) => step !== 'src').join('.');
  return where === '' ? message : `\`${where}\` ${message}`;
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
  if (LONE_SURROGATE.test(src)) throw new EdgepressError('bad_request', 'the source is not valid Unicode');
  const target = `${IMAGE_PATH_PREFIX}${unit}?src=${encodeURIComponent(src).replaceAll("'", '%27')}${LONGEST_PARAMETERS}`;
  const parsed = parseRequest(target);
  if (!parsed.ok) throw new EdgepressError(parsed.fault.code, parsed.fault.detail);
  source.assertAllowed(src);
}

function longestOf(names: readonly string[]): string {
  return names.reduce((longest, name) => (name.length > longest.length ? name : longest));
}
