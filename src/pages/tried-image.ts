import type { Format, Tier } from '../protocol/request.ts';
import type { Snippet } from './snippets.ts';

/** An image, with what was made of it. */
export interface TriedImage {
  source: OriginalFacts;
  /** URL of what stands for the original in the comparison. */
  originalUrl: string;
  /** Every tier and format, in the order in which they are shown. */
  variants: readonly TriedVariant[];
  /** The signed URL for others. */
  url: string;
  isSigned: boolean;
  snippets: readonly Snippet[];
}

/** What is known of an original. */
export interface OriginalFacts {
  bytes: number;
  /** Its content type. */
  type: string;
  /** In pixels, upright. */
  width: number;
  height: number;
  /** Whether browsers show it: otherwise `originalUrl` is a variant. */
  isDisplayable: boolean;
}

/** A variant of the image that is tried. */
export interface TriedVariant {
  tier: Tier;
  format: Format;
  /** Its URL on this host. */
  path: string;
  /** Its whole URL. */
  url: string;
  /** What is known of it already; the browser asks for the others. */
  made?: MadeVariant | undefined;
}

/** What the answer to a request for a variant says. */
export interface MadeVariant {
  bytes: number;
  /** The content type. */
  type: string;
  /** As in `Cache-Status` and `Server-Timing`. */
  cacheStatus: string;
  serverTiming: string;
}
