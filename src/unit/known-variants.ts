import { z } from 'zod';
import { type Sha256, unitAddress, unitStateKey } from '../protocol/keys.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import type { StoredInfo, VariantStore } from '../store/store.ts';

// What a listing does not tell of variants, kept in the mark of a unit's result: so that one request tells it of all of them.

/** What is known of a variant without asking the store for it. */
export type VariantFacts = Pick<StoredInfo, 'contentType' | 'metadata' | 'etag' | 'bytes'>;

/** A variant whose work has ended, and what it was then. */
export interface KnownVariant {
  key: string;
  info: Omit<VariantFacts, 'bytes'>;
}

/** The variants of a unit when its last work ended, by key. */
export type KnownVariants = ReadonlyMap<string, KnownVariant['info']>;

/** What the work on units looks at: the rest of a variant's metadata is for others. */
const KEPT_METADATA = [
  VARIANT_METADATA.effort,
  VARIANT_METADATA.maxBytes,
  VARIANT_METADATA.sourceBytes,
  VARIANT_METADATA.recipe,
  VARIANT_METADATA.startedAt,
] as const;

const markSchema = z.object({
  variants: z.array(
    z.object({
      /** Within the folder of the unit. */
      key: z.string(),
      etag: z.string(),
      type: z.string(),
      metadata: z.record(z.string(), z.string()),
    }),
  ),
});

/**
 * Returns the content of the mark of a unit's result: empty without variants, as earlier versions left it.
 *
 * @param variants - of the unit, which are in its folder
 */
export function encodeKnownVariants(
  unit: string,
  variants: readonly KnownVariant[],
  sha256: Sha256,
): Uint8Array {
  if (variants.length === 0) return new Uint8Array();
  const { folder } = unitAddress(unit, sha256);
  const content: z.infer<typeof markSchema> = {
    variants: variants.map(({ key, info: { etag, contentType, metadata } }) => ({
      key: key.slice(folder.length + 1),
      etag,
      type: contentType,
      metadata: Object.fromEntries(
        KEPT_METADATA.flatMap((name) => (metadata[name] === undefined ? [] : [[name, metadata[name]]])),
      ),
    })),
  };
  return new TextEncoder().encode(JSON.stringify(content));
}

/**
 * Reads what the mark of a unit's last result says of its variants. It may be old: it counts for a variant that still has the same ETag,
 * and so the same bytes. It is empty for a unit that was worked on by an earlier version, and for a mark that is damaged.
 *
 * @throws the error of the store
 */
export async function readKnownVariants(
  store: Pick<VariantStore, 'get'>,
  unit: string,
  sha256: Sha256,
): Promise<KnownVariants> {
  const { folder } = unitAddress(unit, sha256);
  for (const result of ['ready', 'broken'] as const) {
    const object = await store.get(unitStateKey(result, unit, sha256));
    if (object) return decode(object.body, folder);
  }
  return new Map();
}

function decode(body: Uint8Array, folder: string): KnownVariants {
  if (body.byteLength === 0) return new Map();
  try {
    const { variants } = markSchema.parse(JSON.parse(new TextDecoder().decode(body)));
    return new Map(
      variants.map(({ key, etag, type: contentType, metadata }) => [
        `${folder}/${key}`,
        { etag, contentType, metadata },
      ]),
    );
  } catch {
    return new Map();
  }
}
