import { z } from 'zod';
import { type Ladder, rungsFor } from '../protocol/negotiation.ts';
import { FORMATS, type Format, isUnit, TIERS, type Tier, UNIT_RULE } from '../protocol/request.ts';

/** Which variants are made of each image: all combinations. */
export interface WantedVariants {
  /** Rungs of the ladder, ascending. */
  readonly widths: readonly number[];
  readonly tiers: readonly Tier[];
  readonly formats: readonly Format[];
}

/** One image of a unit. */
export interface UnitImage {
  /** As it was handed over: whether it is a URL at all shows when it is to be made. */
  src: string;
  /** What its unit calls it, if it does. */
  name?: string | undefined;
}

/** One ingested item, as it was handed over. */
export interface Unit extends WantedVariants {
  id: string;
  /** What each of its variants may weigh: quality is given up for it, down to that of `saver`. */
  maxBytes?: number | undefined;
  images: readonly UnitImage[];
}

/** The widths there are, and what a unit gets that says nothing of its variants. */
export interface UnitDefaults {
  ladder: Ladder;
  prewarm: WantedVariants;
}

/** More would be a mistake, and a job that nobody can finish. */
const MAX_IMAGES = 1000;
/** In UTF-16 units. What is longer cannot be a source by far, and would only be kept and shown. */
const MAX_SRC_LENGTH = 8192;
const MAX_NAME_LENGTH = 1024;
/** Of widths, tiers or formats. */
const MAX_CHOICES = 100;

const sourceText = z.string('is no text').max(MAX_SRC_LENGTH, `is longer than ${MAX_SRC_LENGTH} characters`);
const image = z.object({ src: sourceText, name: z.string().max(MAX_NAME_LENGTH, 'is too long').optional() });

/** A list that is counted before it is looked at: a hundred thousand wrong entries would be as many complaints. */
function listOf<T>(entry: z.ZodType<T>, most: number, what = 'must be a list') {
  return z
    .array(z.unknown(), what)
    .min(1, 'is empty')
    .max(most, `has more than ${most} entries`)
    .pipe(z.array(entry));
}

function someOf<T extends string>(names: readonly T[]) {
  return listOf(z.enum(names, `must be of ${names.join(', ')}`), MAX_CHOICES).optional();
}

const handedOver = z.object(
  {
    id: z.string('is missing, or no text').refine(isUnit, `must be ${UNIT_RULE}`),
    images: z.preprocess(
      listImages,
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
  'it is no JSON object',
);

/**
 * Reads a unit as it is handed over: `{"id": …, "images": [url, …] or {name: url}}`, or with `key_urls_map` in the place of
 * `images`; and `widths`, `formats`, `tiers`, `maxBytes`, where it wants other variants than usual. Anything else in it is ignored.
 *
 * @throws Error that says what is wrong and where
 */
export function parseUnit(value: unknown, { ladder, prewarm }: UnitDefaults): Unit {
  const parsed = handedOver.safeParse(callImagesImages(value));
  if (!parsed.success) throw new Error(parsed.error.issues.map(describeIssue).join('; '));
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

function callImagesImages(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return 'key_urls_map' in value && !('images' in value) ? { ...value, images: value.key_urls_map } : value;
}

function listImages(handed: unknown): unknown {
  if (typeof handed !== 'object' || handed === null) return handed;
  if (Array.isArray(handed)) return handed.map((src: unknown) => ({ src }));
  return Object.entries(handed).map(([name, src]: [string, unknown]) => ({ src, name }));
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  const where = path.filter((step) => step !== 'src').join('.');
  return where === '' ? message : `\`${where}\` ${message}`;
}
