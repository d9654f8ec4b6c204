import { z } from 'zod';
import { type Ladder, rungsFor } from '../protocol/negotiation.ts';
import { FORMATS, TIERS } from '../protocol/request.ts';
import { parseClients, wantedFor } from './client-profiles.ts';
import { createFieldCheck } from './input/unknown-fields.ts';
import type { Unit, WantedVariants } from './unit.ts';
import { unitIdSchema } from './unit-id.ts';

/** The ladder, and the variants of a unit that does not say which it wants. */
export interface UnitDefaults {
  ladder: Ladder;
  prewarm: WantedVariants;
}

/** Told what is to be said of a unit that is taken all the same: see `InputNotes`. */
export type NoteUnit = (text: string) => void;

/** A unit with more is a mistake: its manifest would be read for each of its jobs. */
export const MAX_IMAGES = 10_000;
/** In UTF-16 units: more than twice what a source may have, so that a longer one need not be stored to be reported. */
const MAX_SRC_LENGTH = 8192;
export const MAX_NAME_LENGTH = 1024;
/** Of widths, tiers or formats. */
const MAX_CHOICES = 100;
/** A line of a megabyte may have a hundred thousand fields: others are neither checked nor said. */
const MAX_UNKNOWN_FIELDS = 100;
/** A unit with more is not looked at further. */
const MAX_WRONG_IMAGES = 100;
/** Of one unit: further ones are only counted. */
const MAX_ISSUES = 10;
/** In UTF-16 units: what is shown of a name that is refused. */
const SHOWN_LENGTH = 60;

/** A source as it is sent. */
export const sourceText = z
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

/** A unit, once `parseUnit` has brought its id and images into one form. */
export const unitSchema = z.object({
  id: unitIdSchema('is missing, or neither text nor a whole number'),
  images: listOf(image, MAX_IMAGES, 'is missing: a list of URLs, an object of name → URL, or one URL'),
  widths: listOf(
    z.int('must be a whole number of pixels').min(1, 'must be 1 or more'),
    MAX_CHOICES,
  ).optional(),
  tiers: someOf(TIERS),
  formats: someOf(FORMATS),
  for: z
    .union([z.string(), z.array(z.string()).min(1).max(MAX_CHOICES)], 'must be text, or a list of texts')
    .transform((sent, { addIssue }) => {
      try {
        return parseClients(typeof sent === 'string' ? sent : sent.join(','));
      } catch (error) {
        addIssue(error instanceof Error ? error.message : String(error));
        return z.NEVER;
      }
    })
    .optional(),
  group: unitIdSchema('is not text').optional(),
  maxBytes: z.int('must be a whole number of bytes').min(1, 'must be 1 or more').optional(),
});

/** The name of `images` in 2017. */
const OLD_IMAGES = 'key_urls_map';
const FIELDS = new Set([...Object.keys(unitSchema.shape), OLD_IMAGES]);
const OPTIONS = Object.keys(unitSchema.shape).filter((name) => name !== 'id' && name !== 'images');
const checkField = createFieldCheck([...FIELDS]);

/**
 * Reads a unit from JSON: `{"id": …, "images": [url, …] or {name: url} or url}`, or with `key_urls_map` instead of `images`, as in 2017;
 * and optionally `widths`, `formats`, `tiers`, `for`, `maxBytes`. An image that is null or empty stays, as one whose source is the empty text: it
 * is reported as broken. Fields that no unit has are ignored, unless they look like one that is misspelt.
 *
 * @throws Error that says what is wrong, and names the field as it was sent
 */
export function parseUnit(value: unknown, { ladder, prewarm }: UnitDefaults, note?: NoteUnit): Unit {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('it is not a JSON object');
  checkFields(value, note);
  const field = OLD_IMAGES in value && !('images' in value) ? OLD_IMAGES : 'images';
  if (field === 'images' && OLD_IMAGES in value)
    note?.(`the field \`${OLD_IMAGES}\` is ignored, since there is \`images\``);
  const { id, [field]: sent } = value as Record<string, unknown>;
  // Said without the schema, whose reasons cost ten times as much: an input of another kind has millions of such objects.
  if (id === undefined && sent === undefined) throw new Error('`id` is missing, and so is `images`');
  const fields = { ...optionsOf(value), id: toId(id), images: toImages(sent, field, note) };
  const parsed = unitSchema.safeParse(fields);
  if (!parsed.success) throw new Error(formatIssues(parsed.error.issues, field, sent));
  const { widths, tiers, formats, for: clients = [], maxBytes, group, ...unit } = parsed.data;
  if (unit.images.every(({ src }) => src === '')) throw new Error(`\`${field}\` has no URL: all are empty`);
  const wanted = wantedFor(clients, { widths, tiers, formats }, prewarm);
  return {
    ...unit,
    ...wanted,
    widths: rungsFor(wanted.widths, ladder.widths),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(group !== undefined && { group }),
  };
}

/**
 * Returns the id in a value that is not a unit, to name the unit in a refusal: shortened, and `undefined` if there is none.
 */
export function sentId(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  const { id } = value;
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return undefined;
  return shorten(String(id), 128);
}

/** Data sets count their items: a number is as good as its digits. */
function toId(id: unknown): unknown {
  if (typeof id !== 'number' || !Number.isInteger(id)) return id;
  // JSON.parse has rounded it, so its digits may be those of another unit.
  if (!Number.isSafeInteger(id))
    throw new Error('`id` is a number with too many digits for JSON to keep: send it as text');
  return String(id);
}

/** Returns the fields other than the id and the images: a value may have ten thousands that are ignored. */
function optionsOf(value: object): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const name of OPTIONS) if (name in value) options[name] = (value as Record<string, unknown>)[name];
  return options;
}

function checkFields(value: object, note: NoteUnit | undefined): void {
  let unknown = 0;
  for (const name of Object.keys(value)) {
    if (FIELDS.has(name)) continue;
    if (++unknown > MAX_UNKNOWN_FIELDS) return;
    const { meant, isMisspelt } = checkField(name);
    const shown = shorten(name, SHOWN_LENGTH);
    const hint = meant === undefined ? '' : `: did you mean \`${meant}\`?`;
    if (isMisspelt) throw new Error(`\`${shown}\` is not a field of a unit${hint}`);
    note?.(`the field \`${shown}\` is not one of a unit and is ignored${hint}`);
  }
}

/** Returns images as the schema has them. What is neither a list, an object nor a text stays as it is. */
function toImages(images: unknown, field: string, note: NoteUnit | undefined): unknown {
  if (typeof images === 'string') return [{ src: images.trim() === '' ? '' : images }];
  if (typeof images !== 'object' || images === null) return images;
  // That there are too many is said later: a line of a megabyte may have half a million.
  const isList = Array.isArray(images);
  const entries = isList ? images.slice(0, MAX_IMAGES + 1).entries() : Object.entries(images);
  let wrong = 0;
  return Array.from(entries, ([key, src]: [number | string, unknown]) => {
    const place = `${field}.${shorten(String(key), SHOWN_LENGTH)}`;
    if (isEmpty(src)) {
      note?.(emptyImage(place));
      return { src: '', name: isList ? place : String(key) };
    }
    // Each that the schema finds costs a hundred times as much.
    if (typeof src !== 'string' && ++wrong > MAX_WRONG_IMAGES)
      throw new Error(`\`${place}\` is not a string, as ${MAX_WRONG_IMAGES} before it are none`);
    return isList ? { src } : { src, name: String(key) };
  });
}

function isEmpty(src: unknown): boolean {
  return src === null || (typeof src === 'string' && src.trim() === '');
}

function emptyImage(name: string): string {
  return `the image \`${name}\` is null or empty: it is broken, the others of its unit are not affected`;
}

function formatIssues(issues: readonly z.core.$ZodIssue[], field: string, sent: unknown): string {
  const isNamed = typeof sent === 'object' && sent !== null && !Array.isArray(sent);
  const names = isNamed ? Object.keys(sent) : [];
  const nameOf = ([first = '', ...rest]: string[]): string => {
    if (first !== 'images') return [first, ...rest].join('.');
    const [index, ...inner] = rest;
    if (index === undefined || typeof sent === 'string') return field;
    return [field, shorten(names[Number(index)] ?? index, SHOWN_LENGTH), ...inner].join('.');
  };
  const said = issues.slice(0, MAX_ISSUES).map(({ path, message }) => {
    return `\`${nameOf(path.filter((step) => step !== 'src').map(String))}\` ${message}`;
  });
  return [...said, ...(issues.length > said.length ? [`and ${issues.length - said.length} more`] : [])].join(
    '; ',
  );
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
