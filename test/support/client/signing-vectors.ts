import type { ImageUrlParts } from '../../../src/client/image-url.ts';
import type { Format, Tier } from '../../../src/protocol/request.ts';
import vectors from '../../vectors/signing.json' with { type: 'json' };

/** A signed URL that others made, and what it was made from. */
export interface SigningVector {
  name: string;
  unit: string;
  src: string;
  /** In the order in which they stand in the URL. */
  parameters: { w?: number; q?: Tier; f?: Format | 'auto'; exp?: number };
  /** Path and query, without the signature. */
  target: string;
  /** The value of `sig`. */
  sig: string;
  url: string;
}

export const SIGNING_KEY = vectors.key;
export const BASE_URL = vectors.baseUrl;
export const SIGNING_VECTORS = vectors.vectors as SigningVector[];

/** The parts that the client takes. */
export function partsOf({ unit, src, parameters }: SigningVector): ImageUrlParts {
  const { w: width, q: tier, f: format, exp: expiresAt } = parameters;
  return { baseUrl: BASE_URL, unit, src, width, tier, format, expiresAt };
}
