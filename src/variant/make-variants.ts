import type { DecodedImage, Effort, EncodedImage, Encoder, SourceFacts, Urgency } from '../encode/encoder.ts';
import { EdgepressError } from '../protocol/error.ts';
import { CACHE_TAG_METADATA, type Sha256, type VariantSpec, variantAddress } from '../protocol/keys.ts';
import type { PurgeSweep, PutOutcome } from '../purge/sweep.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { BestEffortStore } from '../store/best-effort-store.ts';
import type { ObjectInfo, StoredObject } from '../store/store.ts';
import { withShortSharedMaxAge } from './cache-control.ts';
import { type OnWork, type Trace, timed } from './trace.ts';

/** The later half of the line: what turns a source into variants. */
export interface MakeServices {
  encoder: Encoder;
  store: BestEffortStore;
  records: SourceRecords;
  sweep: Pick<PurgeSweep, 'checkTombstone'>;
  /** `Cache-Control` of what is stored. */
  cacheControl: string;
  /** Whether what is made quickly is soon to be made better. */
  upgrades: boolean;
  sha256: Sha256;
  /** MD5 of bytes, in hex: the ETag of what no store gave one. */
  md5: (bytes: Uint8Array) => string;
  onWork: OnWork;
}

/** What is to be made of one source. */
export interface VariantBatch {
  unit: string;
  src: string;
  /** How its source is fetched; see `SourceFetcher`. */
  fetch: SourceFetcher['fetch'];
  /** At least one. */
  choices: readonly VariantSpec[];
  effort: Effort;
  /** What each may weigh; see `EncodeRequest`. */
  maxBytes?: number | undefined;
  urgency: Urgency;
  /** When whoever asks for it began, in Unix milliseconds: a purge since then wins. */
  startedAtMs: number;
  /** What was known of the source. */
  record: SourceRecord | undefined;
  /** The ETag of the only object that the one variant may be stored in place of. Default: any, or none. */
  replaces?: string;
}

export interface MadeVariant {
  choice: VariantSpec;
  object: StoredObject;
  /** Whether it is in the store: not when that failed, when the unit was purged, or when another was in the place of what it replaces. */
  isStored: boolean;
}

/**
 * Fetches and decodes a source once, and makes these variants of it; what a purge meanwhile was meant to remove is taken back.
 *
 * @returns the variants, in the order of the choices
 * @throws EdgepressError what is wrong with the source, which is then remembered beside its variants
 */
export type MakeVariants = (order: VariantBatch, trace: Trace) => Promise<readonly MadeVariant[]>;

export function createMakeVariants(services: MakeServices): MakeVariants {
  const { encoder, store, records, sweep, sha256, onWork } = services;

  async function makeVariants(order: VariantBatch, trace: Trace): Promise<readonly MadeVariant[]> {
    const { recordKey } = addressOf(order, order.choices[0]);
    let made: readonly MadeVariant[];
    try {
      made = await makeAll(order, await open(order, trace), trace);
      await records.forget(recordKey, order.record);
    } catch (error) {
      throw await rememberWhy(order, error, recordKey);
    }
    const isKept = (await look(order)) === 'kept';
    return isKept ? made : made.map((variant) => ({ ...variant, isStored: false }));
  }

  async function open(order: VariantBatch, trace: Trace): Promise<DecodedImage> {
    const bytes = await timed(trace, 'fetch', order.fetch(order.src));
    trace.bytesIn = bytes.byteLength;
    const widest = Math.max(...order.choices.map(({ width }) => width));
    return await timed(trace, 'encode', encoder.decode(bytes, widest, order.urgency));
  }

  async function makeAll(
    order: VariantBatch,
    image: DecodedImage,
    trace: Trace,
  ): Promise<readonly MadeVariant[]> {
    const seen = new Set<EncodedImage>();
    const work = order.choices.map((choice) => make({ order, choice, image, seen, trace }));
    // To the last one, or what is still being put would escape the look at the purge mark.
    await Promise.allSettled(work);
    return await Promise.all(work);
  }

  /** @returns the error to answer with. For prewarm, a reason that cannot be kept is a fault: it would be told, and then forgotten */
  async function rememberWhy(order: VariantBatch, reason: unknown, recordKey: string): Promise<unknown> {
    const { error, isKept } = await records.remember(recordKey, reason, order.record, order.startedAtMs);
    if (error instanceof EdgepressError && error.code.startsWith('source_'))
      onWork({ kind: 'broken', code: error.code });
    const isKnown = (await look(order)) !== 'unknown' && isKept;
    if (isKnown || order.urgency === 'viewer') return error;
    return new EdgepressError('internal', 'found broken, but that could not be kept', { cause: error });
  }

  async function make({ order, choice, image, seen, trace }: Making): Promise<MadeVariant> {
    const { effort, maxBytes } = order;
    const request = { ...choice, effort, maxBytes };
    const encoded = await timed(trace, 'encode', image.encode(request), (ms, result) => {
      // Several choices may come down to one picture, made once.
      if (!seen.has(result))
        onWork({
          kind: 'encode',
          ms,
          bytes: result.body.byteLength,
          format: choice.format,
          tier: choice.tier,
        });
      seen.add(result);
    });
    const { key, cacheTag } = addressOf(order, choice);
    const info = {
      contentType: encoded.contentType,
      cacheControl:
        services.upgrades && encoded.effort === 'fast'
          ? withShortSharedMaxAge(services.cacheControl)
          : services.cacheControl,
      metadata: { [CACHE_TAG_METADATA]: cacheTag, ...describe(encoded, image.facts, order) },
    };
    const stored = await timed(trace, 'put', put(order, key, encoded.body, info));
    const etag = stored?.etag ?? `"${services.md5(encoded.body)}"`;
    const object = { ...info, body: encoded.body, bytes: encoded.body.byteLength, etag };
    return { choice, object, isStored: stored !== undefined };
  }

  function put(
    { replaces }: VariantBatch,
    key: string,
    body: Uint8Array,
    info: ObjectInfo,
  ): Promise<{ etag: string } | undefined> {
    return replaces === undefined ? store.put(key, body, info) : store.replace(key, replaces, body, info);
  }

  /** At the purge mark, after all that was put. */
  function look(order: VariantBatch): Promise<PutOutcome> {
    const keys = order.choices.map((choice) => addressOf(order, choice).key);
    const { recordKey } = addressOf(order, order.choices[0]);
    return sweep.checkTombstone(order.unit, order.startedAtMs, [...keys, recordKey]);
  }

  const addressOf = ({ unit, src }: VariantBatch, choice: VariantSpec | undefined) => {
    if (!choice) throw new TypeError('an order for nothing');
    return variantAddress({ unit, src, ...choice }, sha256);
  };

  return makeVariants;
}

interface Making {
  order: VariantBatch;
  choice: VariantSpec;
  image: DecodedImage;
  /** What was made for other choices. */
  seen: Set<EncodedImage>;
  trace: Trace;
}

/** What travels with a variant, so that nothing else has to be kept of a good source. */
function describe(
  image: EncodedImage,
  source: SourceFacts,
  { maxBytes, startedAtMs }: VariantBatch,
): Record<string, string> {
  return {
    width: String(image.width),
    height: String(image.height),
    effort: image.effort,
    ...(maxBytes !== undefined && { 'max-bytes': String(maxBytes) }),
    'source-bytes': String(source.bytes),
    'source-type': source.contentType,
    'source-width': String(source.width),
    'source-height': String(source.height),
    // When the work began, by which it is known what a purge was meant for.
    began: new Date(startedAtMs).toISOString(),
  };
}
