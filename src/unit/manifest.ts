import { z } from 'zod';
import { FORMATS, TIERS } from '../protocol/request.ts';
import { lastPurgeField, startOf, type WorkStart } from '../protocol/work-start.ts';
import type { StoredObject } from '../store/store.ts';
import type { Unit, UnitImage } from './unit.ts';

/** A schema of the library takes thirty times as long for ten thousand images, in which others wait. */
function isImageList(value: unknown): value is Unit['images'] {
  return Array.isArray(value) && value.every(isImage);
}

function isImage(value: unknown): value is UnitImage {
  if (typeof value !== 'object' || value === null) return false;
  const { src, name } = value as Record<keyof UnitImage, unknown>;
  return typeof src === 'string' && (name === undefined || typeof name === 'string');
}

const manifestSchema = z.object({
  id: z.string(),
  /** When the unit was submitted. */
  receivedAt: z.iso.datetime(),
  /** The time of the unit's tombstone at that moment; `null`: there was none. Earlier versions did not say. */
  lastPurge: z.iso.datetime().nullable().optional(),
  /** In a pack, in place of `lastPurge`: the time of the last purge of any unit at that moment. */
  purgesSeen: z.iso.datetime().optional(),
  /** When the pack was stored that it comes from, by the store's clock. Not set when it was not in a pack. */
  packedAt: z.iso.datetime().optional(),
  images: z.custom<Unit['images']>(isImageList),
  widths: z.array(z.int()),
  tiers: z.array(z.enum(TIERS)),
  formats: z.array(z.enum(FORMATS)),
  maxBytes: z.int().optional(),
  group: z.string().optional(),
});

/** A unit as it was submitted, and when: `manifest.json` in the unit's folder. */
export type Manifest = Unit & {
  receivedAt: string;
  lastPurge?: string | null | undefined;
  purgesSeen?: string | undefined;
  packedAt?: string | undefined;
};

/**
 * Returns the manifest of a unit.
 *
 * @param start - when the unit was submitted
 */
export function manifestOf(unit: Unit, start: WorkStart): Manifest {
  return { ...unit, receivedAt: new Date(start.atMs).toISOString(), ...lastPurgeField(start) };
}

/** Returns the unit of a manifest, to submit it again. */
export function unitOf({ id, images, widths, tiers, formats, maxBytes, group }: Manifest): Unit {
  return {
    ...{ id, images, widths, tiers, formats },
    ...(maxBytes !== undefined && { maxBytes }),
    ...(group !== undefined && { group }),
  };
}

/** Returns when a unit was submitted: a purge since then removes it. */
export function startOfManifest({ receivedAt, lastPurge }: Manifest): WorkStart {
  return startOf(receivedAt, lastPurge) ?? { atMs: 0, lastPurgeMs: 0 };
}

/** Returns the bytes of a manifest. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifest));
}

/**
 * Reads a manifest. Returns `undefined` when there is none.
 *
 * @throws UnreadableManifest
 */
export function decodeManifest(object: Pick<StoredObject, 'body'> | undefined): Manifest | undefined {
  return object && parseManifest(new TextDecoder().decode(object.body));
}

/** @throws UnreadableManifest */
export function parseManifest(json: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new UnreadableManifest('the manifest of the unit cannot be read: send the unit again', { cause });
  }
}

/** A manifest that is damaged, or of another version. Submitting the unit again replaces it, and a purge removes it. */
export class UnreadableManifest extends Error {}
