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

function toNumber(value: string | number | null | undefined): number | undefined {
  if (value == null) return undefined;
  // `Number` also takes ' ' for 0 and '0x10' for 16.
  return typeof value === 'number' || /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
}
