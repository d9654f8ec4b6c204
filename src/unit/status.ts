import pMap from 'p-map';
import { imageUrl } from '../client/image-url.ts';
import { EdgepressError, type ErrorCode } from '../protocol/error.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import type { SigningKey } from '../protocol/signature.ts';
import type { SourceFetcher } from '../source/source.ts';
import { createTurns } from '../turns.ts';
import type { CurrentManifest } from './current-manifest.ts';
import {
  type FoundVariant,
  type ImageInventory,
  type InventoryServices,
  readUnitInventory,
} from './inventory.ts';
import { type Manifest, UnreadableManifest } from './manifest.ts';
import { sourceBytesOf, summarizeVariant, type VariantSummary } from './outcome.ts';
import { assertImageAllowed } from './unit.ts';

/** The state of a unit: the answer to `GET /units/{id}`, and a line of `status --json`. */
export interface UnitStatus {
  id: string;
  images: readonly ImageStatus[];
  totals: {
    ready: number;
    broken: number;
    pending: number;
    /** Of the images that are ready. */
    sourceBytes: number;
    /** Of all variants of the images that are ready. */
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
  /** When the source was first found broken. ISO 8601, like `nextAttempt`. */
  since: string;
  retryable: boolean;
  /** The source is not tried again before this time. */
  nextAttempt: string;
}

export interface StoredVariant extends VariantSummary {
  /** Signed, if there is a signing key. */
  url: string;
  effort: string;
}

export interface StatusServices extends InventoryServices {
  manifests: Pick<CurrentManifest, 'read'>;
  source: Pick<SourceFetcher, 'assertAllowed'>;
  /** The public URL of the service. */
  baseUrl: string;
  /** Signs the URLs of variants. `undefined`: they are not signed. */
  signingKey: SigningKey | undefined;
  nowMs: () => number;
}

/** The most images of one unit that are looked up in the store at the same time. */
const LOOKUP_CONCURRENCY = 16;

/** Returns the state of a unit; `undefined` when there is no manifest of it, or one that cannot be read. */
export type ReadStatus = (id: string) => Promise<UnitStatus | undefined>;

export function createReadStatus(services: StatusServices): ReadStatus {
  return async (id) => {
    const manifest = await readManifest(services, id);
    if (!manifest) return undefined;
    const images = (await readImages(services, manifest)).map(({ status }) => status);
    return { id, images, totals: totalsOf(images) };
  };
}

/** Returns the state of each image of a unit, and what it follows from. Others get a turn meanwhile: it may have ten thousand. */
export async function readImages(
  services: StatusServices,
  manifest: Manifest,
): Promise<{ status: ImageStatus; inventory: ImageInventory }[]> {
  const { readImage } = await readUnitInventory(services, manifest);
  const turns = createTurns();
  return await pMap(
    manifest.images,
    async (image) => {
      const turn = turns.give();
      if (turn) await turn;
      const inventory = await readImage(image);
      return { inventory, status: imageStatus(services, manifest, inventory) };
    },
    { concurrency: LOOKUP_CONCURRENCY },
  );
}

/** Returns the manifest of a unit; `undefined` when there is none, or one that cannot be read. */
export async function readManifest({ manifests }: StatusServices, id: string): Promise<Manifest | undefined> {
  try {
    return await manifests.read(id);
  } catch (error) {
    if (error instanceof UnreadableManifest) return undefined;
    throw error;
  }
}

function imageStatus(services: StatusServices, manifest: Manifest, inventory: ImageInventory): ImageStatus {
  const { found, missing } = inventory;
  const { src, name } = inventory.image;
  const image = { src, ...(name !== undefined && { name }) };
  if (missing.length > 0)
    return { ...image, ...(brokenStatus(services, manifest, inventory) ?? { state: 'pending' }) };
  const sourceBytes = sourceBytesOf(found.map(({ info }) => info));
  const variants = found.map((variant) => storedVariant(services, manifest, src, variant));
  return { ...image, state: 'ready', sourceBytes, variants };
}

function storedVariant(
  { baseUrl, signingKey }: StatusServices,
  { id: unit, maxBytes }: Manifest,
  src: string,
  { spec, info }: FoundVariant,
): StoredVariant {
  const url = imageUrl({ baseUrl, unit, src, ...spec }, signingKey);
  const effort = info.metadata[VARIANT_METADATA.effort] ?? 'fast';
  return { url, ...summarizeVariant(spec, info, maxBytes), effort };
}

/** Returns why an image is broken, if that is known. */
function brokenStatus(
  { source, nowMs }: StatusServices,
  manifest: Manifest,
  { image, record }: ImageInventory,
): BrokenStatus | undefined {
  try {
    assertImageAllowed(source, manifest.id, image.src);
  } catch (error) {
    if (!(error instanceof EdgepressError)) throw error;
    const { code, message: detail, retryable } = error;
    // Known without an attempt: it has been broken since it was submitted, and is until an operator changes the allowlist.
    const nextAttempt = new Date(nowMs()).toISOString();
    return { state: 'broken', code, detail, since: manifest.receivedAt, retryable, nextAttempt };
  }
  if (!record || record.isOfOtherUrl) return undefined;
  const { code, detail, since, retryable, nextAttempt } = record;
  return { state: 'broken', code, detail, since, retryable, nextAttempt };
}

/** Returns the totals of images of any kind. */
export function totalsOf(
  images: readonly (
    | { state: 'ready'; sourceBytes: number; variants: readonly { bytes: number }[] }
    | { state: 'broken' | 'pending' }
  )[],
): UnitStatus['totals'] {
  const totals = { ready: 0, broken: 0, pending: 0, sourceBytes: 0, bytes: 0 };
  for (const image of images) {
    totals[image.state]++;
    if (image.state !== 'ready') continue;
    totals.sourceBytes += image.sourceBytes;
    totals.bytes += image.variants.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  return totals;
}
