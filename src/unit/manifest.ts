import { z } from 'zod';
import { FORMATS, TIERS } from '../protocol/request.ts';
import { lastPurgeField, type WorkStart } from '../protocol/work-start.ts';
import type { StoredObject } from '../store/store.ts';
import type { Unit } from './unit.ts';

const manifestSchema = z.object({
  id: z.string(),
  /** When the unit was submitted. */
  receivedAt: z.iso.datetime(),
  /** The time of the unit's tombstone at that moment; `null`: there was none. Earlier versions did not say. */
  lastPurge: z.iso.datetime().nullable().optional(),
  images: z.array(z.object({ src: z.string(), name: z.string().optional() })),
  widths: z.array(z.int()),
  tiers: z.array(z.enum(TIERS)),
  formats: z.array(z.enum(FORMATS)),
  maxBytes: z.int().optional(),
});

/** A unit as it was submitted, and when: `manifest.json` in the unit's folder. */
export type Manifest = Unit & { receivedAt: string; lastPurge?: string | null | undefined };

/**
 * Returns the bytes of a manifest.
 *
 * @param start - when the unit was submitted
 */
export function encodeManifest(unit: Unit, start: WorkStart): Uint8Array {
  const receivedAt = new Date(start.atMs).toISOString();
  const manifest = { ...unit, receivedAt, ...lastPurgeField(start) } satisfies Manifest;
  return new TextEncoder().encode(JSON.stringify(manifest));
}

/**
 * Reads a manifest. Returns `undefined` when there is none.
 *
 * @throws UnreadableManifest
 */
export function decodeManifest(object: StoredObject | undefined): Manifest | undefined {
  if (!object) return undefined;
  try {
    return manifestSchema.parse(JSON.parse(new TextDecoder().decode(object.body)));
  } catch (cause) {
    throw new UnreadableManifest('the manifest of the unit cannot be read: send the unit again', { cause });
  }
}

/** A manifest that is damaged, or of another version. Submitting the unit again replaces it, and a purge removes it. */
export class UnreadableManifest extends Error {}
