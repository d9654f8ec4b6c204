import type { ErrorCode } from '../protocol/error.ts';
import type { BrokenImage, ImageOutcome, ReadyImage } from './outcome.ts';

/** What became of the images of a unit, in a few numbers. */
export interface UnitSummary {
  /** How many images are ready, and how many are broken. */
  ready: number;
  broken: number;
  /** The first of the broken ones, in the order of the unit. */
  brokenImages: readonly BrokenSummary[];
  /** How many broken ones are not in `brokenImages`, so that a summary stays small. */
  brokenLeftOut: number;
  /** Of all variants of the images that are ready. */
  bytes: number;
  /** Of the originals of the images that are ready. */
  sourceBytes: number;
  /** By how much these originals exceed the largest variant of each: what viewers save at least. */
  saved: number;
}

export interface BrokenSummary {
  src: string;
  name?: string;
  code: ErrorCode;
  /** Whether it may work later without a change by anyone. */
  retryable: boolean;
}

/** In bytes of JSON: Standard Webhooks recommends less than 20 kB for all that is sent. */
const MAX_BROKEN_BYTES = 16_384;

/** Returns the summary of images that are ready or broken. */
export function summarizeImages(outcomes: readonly ImageOutcome[]): UnitSummary {
  const ready = outcomes.filter((outcome): outcome is ReadyImage => outcome.state === 'ready');
  const broken = outcomes.flatMap((outcome) => (outcome.state === 'broken' ? [outcome] : []));
  const brokenImages = firstThatFit(broken.map(toBrokenSummary));
  return {
    ...{ ready: ready.length, broken: broken.length },
    ...{ brokenImages, brokenLeftOut: broken.length - brokenImages.length },
    bytes: sumOf(ready, ({ variants }) => sumOf(variants, ({ bytes }) => bytes)),
    sourceBytes: sumOf(ready, ({ sourceBytes }) => sourceBytes),
    saved: sumOf(ready, savedBytes),
  };
}

/** Returns the summary of a whole unit from those of its parts, in order. */
export function joinSummaries(parts: readonly UnitSummary[]): UnitSummary {
  const broken = sumOf(parts, (part) => part.broken);
  const brokenImages = firstThatFit(parts.flatMap((part) => part.brokenImages));
  return {
    ...{ ready: sumOf(parts, ({ ready }) => ready), broken },
    ...{ brokenImages, brokenLeftOut: broken - brokenImages.length },
    bytes: sumOf(parts, ({ bytes }) => bytes),
    sourceBytes: sumOf(parts, ({ sourceBytes }) => sourceBytes),
    saved: sumOf(parts, ({ saved }) => saved),
  };
}

function toBrokenSummary({ src, name, code, retryable }: BrokenImage): BrokenSummary {
  return { src, ...(name !== undefined && { name }), code, retryable };
}

function firstThatFit(images: readonly BrokenSummary[]): BrokenSummary[] {
  let bytes = 0;
  const end = images.findIndex((image) => {
    bytes += Buffer.byteLength(JSON.stringify(image));
    return bytes > MAX_BROKEN_BYTES;
  });
  return images.slice(0, end === -1 ? images.length : end);
}

function savedBytes({ sourceBytes, variants }: ReadyImage): number {
  return sourceBytes - Math.max(0, ...variants.map(({ bytes }) => bytes));
}

function sumOf<T>(items: readonly T[], numberOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + numberOf(item), 0);
}
