import type { Format, Tier } from '../variant/request.ts';

/** CPU spent for the same look. */
export type Effort = 'fast' | 'best';

export interface EncodeRequest {
  /** The widest that the variant may be, in pixels; it is never wider than its source. */
  width: number;
  tier: Tier;
  /** What the client can display. */
  format: Format;
}

export interface EncodedImage {
  body: Uint8Array<ArrayBuffer>;
  /** What it really is. */
  contentType: string;
  /** Of one frame, in pixels. */
  width: number;
  height: number;
  effort: Effort;
  source: SourceFacts;
}

/** What is known of a source that decodes. */
export interface SourceFacts {
  contentType: string;
  /** Upright, of one frame, in pixels. */
  width: number;
  height: number;
  bytes: number;
}

export interface Encoder {
  /**
   * Makes one variant: upright, in sRGB, without metadata.
   *
   * @param source - the bytes of an original
   * @throws EdgepressError `source_not_image`, `source_corrupt`, `source_too_large`, or `overloaded` when it takes too long
   */
  encode(source: Uint8Array, request: EncodeRequest): Promise<EncodedImage>;
}
