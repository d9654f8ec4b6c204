import type { Format, Tier } from '../protocol/request.ts';

/**
 * CPU spent for the same look: `fast` is one quick encode at a quality that suits nearly all pictures, `best` looks at what comes out
 * and finds the fewest bytes.
 */
export const EFFORTS = ['fast', 'best'] as const;
export type Effort = (typeof EFFORTS)[number];

export interface EncodeRequest {
  /** The widest that the variant may be, in pixels; it is never wider than its source. */
  width: number;
  tier: Tier;
  /** What the client can display. */
  format: Format;
  effort: Effort;
  /**
   * In `best`, for which a still gives up quality, down to the target of `saver`. What is larger even then is returned all the same:
   * whoever sets a budget compares.
   */
  maxBytes?: number | undefined;
}

export interface EncodedImage {
  body: Uint8Array<ArrayBuffer>;
  /** What it really is. */
  contentType: string;
  /** Of one frame, in pixels. */
  width: number;
  height: number;
  effort: Effort;
  /** SSIMULACRA2 against the source at this size: 100 if nothing was lost, `undefined` where nobody looked. */
  score: number | undefined;
  /** Whether it is the source itself, without its metadata: nothing smaller looks right. */
  isSource: boolean;
}

/** What is known of a source that decodes. */
export interface SourceFacts {
  contentType: string;
  /** Upright, of one frame, in pixels. */
  width: number;
  height: number;
  bytes: number;
}

/** A source, decoded once, of which any number of variants can be made. */
export interface DecodedImage {
  readonly facts: SourceFacts;
  /**
   * Makes one variant: upright, in sRGB, without metadata, and never larger than a source that can be passed on instead. The same
   * request gives the same bytes.
   *
   * @param request - at most as wide as the image was decoded for
   * @throws EdgepressError `source_corrupt`, or `overloaded` when it takes too long
   */
  encode(request: EncodeRequest): Promise<EncodedImage>;
}

/** Whose turn it is when encoders are short: a viewer looks at an empty frame, prewarm has the night. */
export type Urgency = 'viewer' | 'prewarm';

export interface Encoder {
  /**
   * Decodes a source for variants up to a width.
   *
   * @param source - the bytes of an original
   * @param maxWidth - of the widest variant that will be asked for, in pixels
   * @throws EdgepressError `source_not_image`, `source_corrupt`, `source_too_large`, or `overloaded` when it takes too long
   */
  decode(source: Uint8Array, maxWidth: number, urgency: Urgency): Promise<DecodedImage>;
}

/** An encoder that is loaded when it is first needed. */
export interface LazyEncoder extends Encoder {
  /** Loads it now: whoever waits for something else may as well. */
  load(): Promise<void>;
}

/** Makes an encoder that costs nothing where everything is in the store: loading one takes as long as all else together. */
export function createLazyEncoder(create: () => Promise<Encoder>): LazyEncoder {
  let loading: Promise<Encoder> | undefined;
  const load = () => {
    loading ??= create();
    return loading;
  };
  return {
    async decode(...source) {
      return await (await load()).decode(...source);
    },
    async load() {
      await load();
    },
  };
}
