import pMap from 'p-map';
import { buildImageUrl, type UrlSigningKey } from '../client/image-url.ts';
import { EdgepressError, type ErrorCode } from '../protocol/error.ts';
import { unitAddress } from '../protocol/keys.ts';
import type { SourceFetcher } from '../source/source.ts';
import {
  assertImageAllowed,
  type FoundVariant,
  type ImageInventory,
  type InventoryServices,
  readUnitInventory,
} from './inventory.ts';
import { decodeManifest, type Manifest, UnreadableManifest } from './manifest.ts';
import { type MadeVariant, sourceBytesOf, summarizeVariant } from './outcome.ts';
import type { UnitImage } from './unit.ts';

/** What is known of a unit: `GET /units/{id}`, and a line of `status --json`. */
export interface UnitStatus {
  id: string;
  images: readonly ImageStatus[];
  totals: {
    ready: number;
    broken: number;
    pending: number;
    /** Of the images that are ready. */
    sourceBytes: number;
    /** Of all variants of these. */
    bytes: number;
  };
}

export type ImageStatus = { src: string; name?: string } & (
  | ReadyStatus
  | BrokenStatus
  | { state: 'pending' }
);

export interface ReadyStatus {
  state: 'ready';
  sourceBytes: number;
  variants: readonly StoredVariant[];
}

export interface BrokenStatus {
  state: 'broken';
  code: ErrorCode;
  /** Public. */
  detail: string;
  /** When it was first found broken. ISO 8601, like `nextAttempt`. */
  since: string;
  retryable: boolean;
  /** Until then it is left alone. */
  nextAttempt: string;
}

export interface StoredVariant extends MadeVariant {
  /** Signed, where URLs are. */
  url: string;
  effort: string;
}

export interface StatusServices extends InventoryServices {
  /** Knows what may not be fetched at all. */
  source: Pick<SourceFetcher, 'assertAllowed'>;
  /** Where callers reach the service. */
  baseUrl: string;
  /** What URLs are signed with, if they are. */
  signingKey: UrlSigningKey | undefined;
  nowMs: () => number;
}

/** Images looked up at once. */
const LOOKUPS_AT_ONCE = 16;

/** Says what is known of a unit; see `Units.status`. One whose manifest cannot be read is as good as unknown. */
export type ReadStatus = (id: string) => Promise<UnitStatus | undefined>;

export function createReadStatus(services: StatusServices): ReadStatus {
  const { store, sha256, source, baseUrl, signingKey, nowMs } = services;

  async function readStatus(id: string): Promise<UnitStatus | undefined> {
    const manifest = await readManifest(id);
    if (!manifest) return undefined;
    const survey = await readUnitInventory(services, manifest);
    const describeImage = async (image: UnitImage) => describe(await survey(image), manifest);
    const images = await pMap(manifest.images, describeImage, { concurrency: LOOKUPS_AT_ONCE });
    return { id, images, totals: totalsOf(images) };
  }

  async function readManifest(id: string): Promise<Manifest | undefined> {
    const object = await store.get(unitAddress(id, sha256).manifestKey);
    try {
      return decodeManifest(object);
    } catch (error) {
      if (error instanceof UnreadableManifest) return undefined;
      throw error;
    }
  }

  async function describe(surveyed: ImageInventory, manifest: Manifest): Promise<ImageStatus> {
    const { image, found, missing } = surveyed;
    const who = { src: image.src, ...(image.name !== undefined && { name: image.name }) };
    if (missing.length > 0) return { ...who, ...(whyBroken(surveyed, manifest) ?? { state: 'pending' }) };
    const sourceBytes = sourceBytesOf(found.map(({ info }) => info));
    const variants = await Promise.all(found.map((variant) => withUrl(manifest, image.src, variant)));
    return { ...who, state: 'ready', sourceBytes, variants };
  }

  async function withUrl(
    { id: unit, maxBytes }: Manifest,
    src: string,
    { choice, info }: FoundVariant,
  ): Promise<StoredVariant> {
    const [variant] = summarizeVariant(choice, info, maxBytes);
    const url = await buildImageUrl({ baseUrl, unit, src, ...choice }, signingKey);
    return { url, ...(variant as MadeVariant), effort: info.metadata['effort'] ?? 'fast' };
  }

  function whyBroken({ image, record }: ImageInventory, manifest: Manifest): BrokenStatus | undefined {
    try {
      assertImageAllowed(source, manifest.id, image.src);
    } catch (error) {
      if (!(error instanceof EdgepressError)) throw error;
      const { code, message: detail, retryable } = error;
      // Nobody has to ask a source to know: it is so from the start, and until an operator changes the rules.
      const nextAttempt = new Date(nowMs()).toISOString();
      return { state: 'broken', code, detail, since: manifest.receivedAt, retryable, nextAttempt };
    }
    if (!record) return undefined;
    const { code, detail, since, retryable, nextAttempt } = record;
    return { state: 'broken', code, detail, since, retryable, nextAttempt };
  }

  return readStatus;
}

function totalsOf(images: readonly ImageStatus[]): UnitStatus['totals'] {
  const totals = { ready: 0, broken: 0, pending: 0, sourceBytes: 0, bytes: 0 };
  for (const image of images) {
    totals[image.state]++;
    if (image.state !== 'ready') continue;
    totals.sourceBytes += image.sourceBytes;
    totals.bytes += image.variants.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  return totals;
}
