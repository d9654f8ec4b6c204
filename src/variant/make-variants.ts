import type { DecodedImage, EncodedImage, Encoder, SourceFacts, Urgency } from '../encode/encoder.ts';
import { EdgepressError } from '../error.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { ForgivingStore } from '../store/forgiving-store.ts';
import type { ObjectInfo, StoredObject } from '../store/store.ts';
import type { PurgeSweep } from '../unit/purge-sweep.ts';
import { type Sha256, variantAddress } from './key.ts';
import type { ObserveWork } from './observe.ts';
import type { Format, Tier } from './request.ts';
import { type Trace, timed } from './trace.ts';

/** The later half of the line: what turns a source into variants. */
export interface MakeServices {
  source: SourceFetcher;
  encoder: Encoder;
  store: ForgivingStore;
  records: SourceRecords;
  sweep: Pick<PurgeSweep, 'afterPut'>;
  /** `Cache-Control` of what is stored. */
  cacheControl: string;
  sha256: Sha256;
  /** MD5 of bytes, in hex: the ETag of what no store gave one. */
  md5: (bytes: Uint8Array) => string;
  observe: ObserveWork;
}

/** Which form of a source. */
export interface VariantChoice {
  /** A rung of the ladder. */
  width: number;
  tier: Tier;
  format: Format;
}

/** What is to be made of one source. */
export interface Order {
  unit: string;
  src: string;
  /** At least one. */
  choices: readonly VariantChoice[];
  urgency: Urgency;
  /** When whoever asks for it began, in Unix milliseconds: a purge since then wins. */
  beganMs: number;
  /** What was known of the source. */
  record: SourceRecord | undefined;
}

export interface MadeVariant {
  choice: VariantChoice;
  object: StoredObject;
  /** Whether it is in the store: not when that failed, or when the unit was purged meanwhile. */
  isStored: boolean;
}

/**
 * Fetches and decodes a source once, and makes these variants of it; what a purge meanwhile was meant to remove is taken back.
 *
 * @returns the variants, in the order of the choices
 * @throws EdgepressError what is wrong with the source, which is then remembered beside its variants
 */
export type MakeVariants = (order: Order, trace: Trace) => Promise<readonly MadeVariant[]>;

export function createMakeVariants(services: MakeServices): MakeVariants {
  const { source, encoder, store, records, sweep, sha256, observe } = services;

  async function makeVariants(order: Order, trace: Trace): Promise<readonly MadeVariant[]> {
    const { recordKey } = addressOf(order, order.choices[0]);
    let made: readonly MadeVariant[];
    try {
      made = await makeAll(order, await open(order, trace), trace);
      await records.forget(recordKey, order.record);
    } catch (error) {
      const known = await records.remember(recordKey, error, order.record, order.beganMs);
      if (known instanceof EdgepressError) observe({ kind: 'broken', code: known.code });
      await takeBackIfPurged(order);
      throw known;
    }
    const isGone = await takeBackIfPurged(order);
    return isGone ? made.map((variant) => ({ ...variant, isStored: false })) : made;
  }

  async function open(order: Order, trace: Trace): Promise<DecodedImage> {
    const bytes = await timed(trace, 'fetch', source.fetch(order.src), (ms, { byteLength }) =>
      observe({ kind: 'fetch', ms, bytes: byteLength }),
    );
    trace.bytesIn = bytes.byteLength;
    const widest = Math.max(...order.choices.map(({ width }) => width));
    return await timed(trace, 'encode', encoder.decode(bytes, widest, order.urgency));
  }

  async function makeAll(order: Order, image: DecodedImage, trace: Trace): Promise<readonly MadeVariant[]> {
    const work = order.choices.map((choice) => make(order, choice, image, trace));
    // To the last one, or what is still being put would escape the look at the purge mark.
    await Promise.allSettled(work);
    return await Promise.all(work);
  }

  async function make(
    order: Order,
    choice: VariantChoice,
    image: DecodedImage,
    trace: Trace,
  ): Promise<MadeVariant> {
    const encoded = await timed(trace, 'encode', image.encode(choice), (ms, { body }) =>
      observe({ kind: 'encode', ms, bytes: body.byteLength, format: choice.format, tier: choice.tier }),
    );
    const { key, cacheTag } = addressOf(order, choice);
    const info = {
      contentType: encoded.contentType,
      cacheControl: services.cacheControl,
      metadata: { 'cache-tag': cacheTag, ...describe(encoded, image.facts, order.beganMs) },
    };
    const stored = await timed(trace, 'put', store.put(key, encoded.body, info satisfies ObjectInfo));
    const etag = stored?.etag ?? `"${services.md5(encoded.body)}"`;
    const object = { ...info, body: encoded.body, bytes: encoded.body.byteLength, etag };
    return { choice, object, isStored: stored !== undefined };
  }

  function takeBackIfPurged(order: Order): Promise<boolean> {
    const keys = order.choices.map((choice) => addressOf(order, choice).key);
    const { recordKey } = addressOf(order, order.choices[0]);
    return sweep.afterPut(order.unit, order.beganMs, [...keys, recordKey]);
  }

  const addressOf = ({ unit, src }: Order, choice: VariantChoice | undefined) => {
    if (!choice) throw new TypeError('an order for nothing');
    return variantAddress({ unit, src, ...choice }, sha256);
  };

  return makeVariants;
}

/** What travels with a variant, so that nothing else has to be kept of a good source. */
function describe(image: EncodedImage, source: SourceFacts, beganMs: number): Record<string, string> {
  return {
    width: String(image.width),
    height: String(image.height),
    effort: image.effort,
    'source-bytes': String(source.bytes),
    'source-type': source.contentType,
    'source-width': String(source.width),
    'source-height': String(source.height),
    // When the work began, by which it is known what a purge was meant for.
    began: new Date(beganMs).toISOString(),
  };
}
