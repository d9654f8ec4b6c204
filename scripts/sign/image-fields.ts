import { z } from 'zod';
import { type ImageUrlParts, InvalidImageUrl, imageUrl } from '../../src/client/image-url.ts';
import { srcset } from '../../src/client/srcset.ts';
import type { SigningKey } from '../../src/protocol/signature.ts';

const number = z.union([z.number(), z.string()]).nullish();

/** An image as options or a line of input name it: by the names of the URL's parameters. */
export const imageFields = z.strictObject({
  unit: z.string().nullish(),
  src: z.string().nullish(),
  w: number,
  q: z.string().nullish(),
  f: z.string().nullish(),
  exp: number,
});

export type ImageFields = z.infer<typeof imageFields>;

/** Why there is no URL of an image. The message has the names of the fields. */
export class InvalidImage extends Error {}

export interface UrlOptions {
  /** Where the service is reached; `''` for a relative URL. */
  baseUrl: string;
  key: SigningKey | undefined;
  /** Of a srcset, ascending. Absent: one URL and no srcset. */
  widths?: readonly number[] | undefined;
  /** What a field is called in messages. */
  nameOf(field: keyof ImageFields): string;
}

const FIELDS: Partial<Record<keyof ImageUrlParts, keyof ImageFields>> = {
  unit: 'unit',
  src: 'src',
  width: 'w',
  tier: 'q',
  format: 'f',
  expiresAt: 'exp',
};

/**
 * Returns the URL of an image, or a `srcset` with one for each width.
 *
 * @throws InvalidImage
 */
export function urlText(fields: ImageFields, { baseUrl, key, widths, nameOf }: UrlOptions): string {
  const { unit, src, w, q, f, exp } = fields;
  for (const field of ['w', 'exp'] as const)
    requireNumber(nameOf(field), fields[field], WHOLE_NUMBERS[field]);
  if (widths && w != null) throw new InvalidImage(`${nameOf('w')} is one width, and a srcset has several`);
  // What is missing or wrong is said by the builder of the URL.
  const parts: ImageUrlParts = {
    ...{ baseUrl, unit: unit ?? '', src: src ?? '', width: toNumber(w), expiresAt: toNumber(exp) },
    ...{
      tier: (q ?? undefined) as ImageUrlParts['tier'],
      format: (f ?? undefined) as ImageUrlParts['format'],
    },
  };
  for (const field of ['unit', 'src'] as const)
    if (fields[field] == null) throw new InvalidImage(`${nameOf(field)} is missing`);
  try {
    return widths ? srcset({ ...parts, widths }, key) : imageUrl(parts, key);
  } catch (error) {
    if (!(error instanceof InvalidImageUrl)) throw error;
    throw new InvalidImage(withFieldName(error, nameOf));
  }
}

function withFieldName({ part, message }: InvalidImageUrl, nameOf: UrlOptions['nameOf']): string {
  const field = part && FIELDS[part];
  return field ? message.replace(`\`${part}\``, nameOf(field)) : message;
}

const WHOLE_NUMBERS = {
  w: 'a whole number of pixels, 1 or more',
  exp: 'a Unix time in whole seconds, such as 1900000000',
};
/** `Number` also takes ' ' for 0 and '0x10' for 16. */
const NUMBER = /^-?\d+(\.\d+)?$/;
/** In UTF-16 code units, of what is no number. */
const SHOWN_LENGTH = 40;

/** Says of a text that is no number what it is: the builder of the URL gets numbers. */
function requireNumber(name: string, value: string | number | null | undefined, allowed: string): void {
  if (typeof value !== 'string' || NUMBER.test(value)) return;
  throw new InvalidImage(`${name} must be ${allowed}; it is ${JSON.stringify(value.slice(0, SHOWN_LENGTH))}`);
}

function toNumber(value: string | number | null | undefined): number | undefined {
  return value == null ? undefined : Number(value);
}
