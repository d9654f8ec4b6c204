import { z } from 'zod';
import { FORMATS, TIERS } from '../protocol/request.ts';
import type { StoredObject } from '../store/store.ts';
import type { Unit } from './unit.ts';

const manifestSchema = z.object({
  id: z.string(),
  /** When the unit was submitted. */
  receivedAt: z.iso.datetime(),
  images: z.array(z.object({ src: z.string(), name: z.string().optional() })),
  widths: z.array(z.int()),
  tiers: z.array(z.enum(TIERS)),
  formats: z.array(z.enum(FORMATS)),
  maxBytes: z.int().optional(),
});

/** A unit as it was submitted, and when: `manifest.json` in the unit's folder. */
export type Manifest = Unit & { receivedAt: string };

/**
 * Returns the bytes of a manifest.
 *
 * @param receivedMs - when the unit was submitted, in Unix milliseconds
 */
export function encodeManifest(unit: Unit, receivedMs: number): Uint8Array {
  const manifest = { ...unit, receivedAt: new Date(receivedMs).toISOString() } satisfies Manifest;
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
