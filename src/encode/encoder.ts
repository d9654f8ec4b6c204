import type { SourceFacts } from '../decode/image-type.ts';
import type { Format, Tier } from '../protocol/request.ts';

/**
 * CPU spent for the same look. `fast` encodes once, at a fixed quality that suits nearly all images. `best` scores its encodings and
 * searches for the fewest bytes that reach the tier's target.
 */
export const EFFORTS = ['fast', 'best'] as const;
export type Effort = (typeof EFFORTS)[number];

/**
 * The version of how variants are made. Raise it when those that are stored have to be made again: prewarm does so, and with `UPGRADE=on` the
 * queue does for those that are served.
 *
 * 2: AVIF of AV1 Main profile, 8 bits, 4:2:0, which phones decode; before, it was of 10 bits and 4:4:4.
 */
export const RECIPE = 2;

export interface EncodeRequest {
  /**
   * The largest width of the variant, in pixels. A variant is never wider than its source; the source itself, sent in place of a variant
   * because it has fewer bytes, may be wider than this.
   */
  width: number;
  tier: Tier;
  /** What the client can display. */
  format: Format;
  effort: Effort;
  /**
   * A budget in bytes. With effort `best`, a still gives up quality to meet it, down to the target of `saver`. If even that is larger, it
   * is returned all the same: compare its size. Ignored with effort `fast` and for animations.
   */
  maxBytes?: number | undefined;
}

export interface EncodedImage {
  body: Uint8Array<ArrayBuffer>;
  /** The media type of the body, which may be another than the requested format. */
  contentType: string;
  /** The size of what is sent, in pixels; of an animation, the size of one frame. */
  width: number;
  height: number;
  effort: Effort;
  /** SSIMULACRA2 against the source at this size: 100 if nothing was lost, `undefined` if it was not measured. */
  score: number | undefined;
  /** Whether this is the source itself without its metadata, at its own size, because no smaller encoding reaches the target. */
  isOriginal: boolean;
}

/** A source that is decoded once, for any number of variants. */
export interface DecodedImage {
  readonly facts: SourceFacts;
  /** Whether its pixels are not kept but decoded for each variant: those of an animation, and of a very long still. */
  readonly isStreamed: boolean;
  /**
   * Encodes one variant: upright, in sRGB, without metadata, and never with more bytes than a servable original. It is deterministic:
   * equal requests give equal bytes.
   *
   * @param request - `width` is at most the `maxWidth` that the image was decoded for
   * @throws EdgepressError `source_corrupt`, or `overloaded` after a timeout
   * @throws TypeError if `width` is larger
   */
  encode(request: EncodeRequest): Promise<EncodedImage>;
  /** Frees what holds the image. To be called when no variant of it is wanted any more. */
  close(): void;
}

/** The priority of work when all permits are taken: a viewer's before prewarm's. */
export type Urgency = 'viewer' | 'prewarm';

export interface Encoder {
  /**
   * Decodes a source for variants up to a width.
   *
   * @param source - the bytes of the original
   * @param maxWidth - the width of the widest variant that will be requested, in pixels
   * @param signal - aborts this decode and all encodes of its image: nobody waits for them any more. What waits for a permit or runs in a
   *   process that can be ended is given up; other work that has begun is finished first
   * @param onStart - called when the wait is over and the work begins; more than once if there is more to wait for
   * @throws EdgepressError `source_not_image`, `source_corrupt`, `source_too_large`, or `overloaded` after a timeout
   * @throws the reason of the signal
   */
  decode(
    source: Uint8Array,
    maxWidth: number,
    urgency: Urgency,
    signal?: AbortSignal,
    onStart?: () => void,
  ): Promise<DecodedImage>;
  /**
   * Makes it ready for viewers: the first decode does not wait for what it needs.
   *
   * @throws Error if it cannot work
   */
  start?(): Promise<void>;
  /** Ends what it has started. What is being worked on fails. */
  close?(): Promise<void>;
}

/** An encoder that is loaded on first use. */
export interface LazyEncoder extends Required<Encoder> {
  /** Loads the encoder now, for example while a fetch is in flight. */
  load(): Promise<void>;
}

/** Returns an encoder that is created on first use. Loading sharp takes as long as loading everything else, and hits do not need it. */
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
    async start() {
      await (await load()).start?.();
    },
    async close() {
      await (await loading)?.close?.();
    },
  };
}
