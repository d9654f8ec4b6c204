import { z } from 'zod';

// How the values of options are read. On the command line all of them are text.

/** A whole number, or the text of one. */
export function whole(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value),
    z.int(message).min(min, message).max(max, message),
  );
}

/** `true` or `false`, or the text of one. */
export function flag() {
  return z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean('must be true or false'),
  );
}

/** Text of a certain form. */
export function matching(form: RegExp, message: string) {
  return z.string(message).regex(form, message);
}

/** One of a few names; a number counts as its text. */
export function among<const T extends readonly string[]>(names: T) {
  return z.preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    z.enum(names, `must be one of ${names.join(', ')}`),
  );
}

/** A list, or the text of one, separated by commas. */
export function list(item: z.ZodType<string, string>) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
    z.array(item, 'must be a list').min(1, 'must not be empty'),
  );
}

/** What goes into a variable of the environment, to be read as one. */
export function variable() {
  const scalar = z.union([z.string(), z.number()]);
  return z
    .union([scalar, z.array(scalar)], 'must be text, a number, or a list of these')
    .transform((value) => (Array.isArray(value) ? value.join(',') : String(value)));
}
