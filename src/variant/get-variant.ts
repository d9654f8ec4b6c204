import type { EncodedImage, Encoder } from '../encode/encoder.ts';
import { EdgepressError } from '../error.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecords } from '../source/source-records.ts';
import type { ForgivingStore } from '../store/forgiving-store.ts';
import type { ObjectInfo, StoredObject } from '../store/store.ts';
import { type Sha256, type VariantAddress, type VariantName, variantAddress } from './key.ts';
import { type ClientHints, type Ladder, negotiate } from './negotiate.ts';
import { parseRequest } from './request.ts';
import type { Result } from './result.ts';
import { type Hmac, type SigningKey, verifySignature } from './signature.ts';
import { createSingleFlight } from './single-flight.ts';
import { sourceHost } from './src-parameter.ts';
import { type Trace, timed } from './trace.ts';
import type { Workshop } from './workshop.ts';

/** All that the line of an image request needs. */
export interface VariantServices {
  signingKeys: readonly SigningKey[];
  ladder: Ladder;
  /** `Cache-Control` of what is stored. */
  cacheControl: string;
  store: ForgivingStore;
  records: SourceRecords;
  source: SourceFetcher;
  encoder: Encoder;
  workshop: Workshop;
  hmac: Hmac;
  sha256: Sha256;
  /** MD5 of bytes, in hex: the ETag of what no store gave one. */
  md5: (bytes: Uint8Array) => string;
  /** Unix milliseconds. */
  nowMs: () => number;
}

/** One variant, ready to be sent. */
export interface Variant {
  object: StoredObject;
  /** Whether it was in the store, was put there just now, or could not be put there. */
  origin: 'stored' | 'made' | 'made but not stored';
  /** The request headers that chose it. */
  vary: readonly string[];
}

export type GetVariant = (target: string, hints: ClientHints, trace: Trace) => Promise<Variant>;

/**
 * Makes the line that an image request takes, from the raw request target to the variant.
 *
 * The function that it returns throws an `EdgepressError` for all that a request or a source can do wrong.
 */
export function createGetVariant(services: VariantServices): GetVariant {
  const { signingKeys, ladder, store, records, source, encoder, workshop, hmac, sha256, nowMs } = services;
  const flight = createSingleFlight<Flight>();

  async function getVariant(target: string, hints: ClientHints, trace: Trace): Promise<Variant> {
    const request = orThrow(parseRequest(target));
    trace.unit = request.unit;
    trace.sourceHost = sourceHost(request.src);
    orThrow(verifySignature(request, signingKeys, hmac, Math.floor(nowMs() / 1000)));
    const { vary, ...choice } = negotiate(request, hints, ladder);
    const name: VariantName = { unit: request.unit, src: request.src, ...choice };
    const address = variantAddress(name, sha256);
    const landed = await flight(address.key, () => findOrMake(name, address, trace));
    joinTrace(trace, landed);
    return { object: landed.object, origin: landed.origin, vary };
  }

  async function findOrMake(name: VariantName, address: VariantAddress, trace: Trace): Promise<Flight> {
    const object = await timed(trace, 'store', store.get(address.key));
    if (object) return { object, origin: 'stored', trace };
    source.admit(name.src);
    const record = await timed(trace, 'store', records.read(address.recordKey));
    const verdict = records.verdict(record);
    if (verdict) throw verdict;
    try {
      const made = await workshop.enter(sourceHost(name.src), () => make(name, address, trace));
      await records.forget(address.recordKey, record);
      return made;
    } catch (error) {
      throw await records.remember(address.recordKey, error, record);
    }
  }

  async function make(name: VariantName, address: VariantAddress, trace: Trace): Promise<Flight> {
    const bytes = await timed(trace, 'fetch', source.fetch(name.src));
    trace.bytesIn = bytes.byteLength;
    const image = await timed(trace, 'encode', encoder.encode(bytes, name));
    const info = describe(image, address, services.cacheControl);
    const stored = await timed(trace, 'put', store.put(address.key, image.body, info));
    const etag = stored?.etag ?? `"${services.md5(image.body)}"`;
    const object = { ...info, body: image.body, bytes: image.body.byteLength, etag };
    return { object, origin: stored ? 'made' : 'made but not stored', trace };
  }

  return getVariant;
}

interface Flight extends Omit<Variant, 'vary'> {
  /** Of the request that the work was done for. */
  trace: Trace;
}

/** What travels with a variant, so that nothing else has to be kept of a good source. */
function describe(image: EncodedImage, address: VariantAddress, cacheControl: string): Required<ObjectInfo> {
  return {
    contentType: image.contentType,
    cacheControl,
    metadata: {
      'cache-tag': address.cacheTag,
      width: String(image.width),
      height: String(image.height),
      effort: image.effort,
      'source-bytes': String(image.source.bytes),
      'source-type': image.source.contentType,
      'source-width': String(image.source.width),
      'source-height': String(image.source.height),
    },
  };
}

/** Whoever joined a flight tells of its steps too, but not as its own. */
function joinTrace(trace: Trace, flight: Flight): void {
  trace.outcome = flight.origin === 'stored' ? 'hit' : 'miss';
  if (flight.trace === trace) return;
  trace.joined = true;
  Object.assign(trace.ms, flight.trace.ms);
}

function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { code, detail, parameter } = result.fault;
  throw new EdgepressError(code, detail, parameter === undefined ? {} : { parameter });
}
