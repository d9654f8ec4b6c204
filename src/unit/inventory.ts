import { type Sha256, unitAddress, type VariantSpec, variantAddress } from '../protocol/keys.ts';
import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { StoredInfo, VariantStore } from '../store/store.ts';
import type { Manifest } from './manifest.ts';
import type { UnitImage, WantedVariants } from './unit.ts';

/** What the store has of one image of a unit. */
export interface ImageInventory {
  image: UnitImage;
  /** The specs of all variants that the unit wants, in the order in which they are reported. */
  wanted: readonly VariantSpec[];
  /** The wanted variants that are in the store. */
  found: readonly FoundVariant[];
  /** The specs of the others. */
  missing: readonly VariantSpec[];
  /** The cached failure of the source, if there is one and variants are missing. */
  record: SourceRecord | undefined;
}

export interface FoundVariant {
  spec: VariantSpec;
  info: StoredInfo;
}

/** Reads what the store has of one image of a unit. */
export type ReadImageInventory = (image: UnitImage) => Promise<ImageInventory>;

export interface InventoryServices {
  store: VariantStore;
  records: Pick<SourceRecords, 'read'>;
  sha256: Sha256;
}

/**
 * Lists the objects of a unit once, so that only objects that exist are requested.
 *
 * @returns a function that reads what there is of an image, with one request for each of its variants in the store
 */
export async function readUnitInventory(
  services: InventoryServices,
  manifest: Manifest,
): Promise<ReadImageInventory> {
  const { store, records, sha256 } = services;
  const listed = new Set<string>();
  for await (const { key } of store.list(unitAddress(manifest.id, sha256).folder)) listed.add(key);
  const wanted = wantedSpecs(manifest);

  return async (image) => {
    const addressOf = (spec: VariantSpec) =>
      variantAddress({ unit: manifest.id, src: image.src, ...spec }, sha256);
    const variants = await Promise.all(
      wanted.map(async (spec) => {
        const { key } = addressOf(spec);
        // A variant that is listed and not found is damaged, or was removed meanwhile.
        return { spec, info: listed.has(key) ? await store.head(key) : undefined };
      }),
    );
    const found = variants.filter((variant): variant is FoundVariant => variant.info !== undefined);
    const missing = variants.flatMap(({ spec, info }) => (info ? [] : [spec]));
    const recordKey = wanted[0] && addressOf(wanted[0]).recordKey;
    const isRecorded = recordKey !== undefined && missing.length > 0 && listed.has(recordKey);
    const record = isRecorded ? await records.read(recordKey, image.src) : undefined;
    return { image, wanted, found, missing, record };
  };
}

/** Returns all combinations. */
function wantedSpecs({ widths, tiers, formats }: WantedVariants): VariantSpec[] {
  return widths.flatMap((width) =>
    tiers.flatMap((tier) => formats.map((format) => ({ width, tier, format }))),
  );
}
