import {
  parseVariantKey,
  type Sha256,
  sourceFolder,
  sourceRecordKey,
  unitAddress,
  type VariantSpec,
  variantKey,
} from '../protocol/keys.ts';
import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { ListedObject, VariantStore } from '../store/store.ts';
import { type KnownVariants, readKnownVariants, type VariantFacts } from './known-variants.ts';
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
  key: string;
  info: VariantFacts;
}

/** What the store has of a unit. */
export interface UnitInventory {
  /** Reads what the store has of one image of the unit. */
  readImage(image: UnitImage): Promise<ImageInventory>;
  /** Whether listings of this store have ETags, so that what is known of a variant can be told to be current. */
  hasEtags: boolean;
}

export interface InventoryServices {
  store: VariantStore;
  records: Pick<SourceRecords, 'read'>;
  sha256: Sha256;
}

/**
 * Lists the objects of a unit once, and looks up only those variants of which neither that nor the mark of the unit's last result tells all.
 * Where listings have no ETags, that is each variant that exists.
 */
export async function readUnitInventory(
  services: InventoryServices,
  manifest: Manifest,
): Promise<UnitInventory> {
  const { store, records, sha256 } = services;
  const { id } = manifest;
  const listed = new Map<string, ListedObject>();
  const { folder: unitFolder } = unitAddress(id, sha256);
  for await (const object of store.list(unitFolder)) listed.set(object.key, object);
  const objects = [...listed.values()];
  const hasEtags = objects.some(({ etag }) => etag !== undefined);
  // Of a single one, the variant itself tells more for the same price.
  const isWorthReading = hasEtags && objects.filter(({ key }) => parseVariantKey(key)).length > 1;
  const known = isWorthReading ? await readKnownVariants(store, id, sha256) : new Map();
  const wanted = wantedSpecs(manifest);

  async function findVariant(spec: VariantSpec, object: ListedObject): Promise<FoundVariant[]> {
    const { key } = object;
    // A variant that is listed and not found is damaged, or was removed meanwhile.
    const info = knownInfo(object, known) ?? (await store.head(key));
    return info ? [{ spec, key, info }] : [];
  }

  async function findVariants(folder: string): Promise<FoundVariant[]> {
    // A unit may have ten thousand images with dozens of variants each: what is not listed costs no promise.
    const lookups = wanted.flatMap((spec) => {
      const object = listed.get(variantKey(folder, spec));
      return object ? [findVariant(spec, object)] : [];
    });
    return lookups.length === 0 ? [] : (await Promise.all(lookups)).flat();
  }

  return {
    hasEtags,
    async readImage(image) {
      const folder = sourceFolder(unitFolder, image.src, sha256);
      const found = await findVariants(folder);
      const isFound = new Set(found.map(({ spec }) => spec));
      const missing = found.length === 0 ? wanted : wanted.filter((spec) => !isFound.has(spec));
      const recordKey = sourceRecordKey(folder);
      const isRecorded = missing.length > 0 && listed.has(recordKey);
      const record = isRecorded ? await records.read(recordKey, image.src) : undefined;
      return { image, wanted, found, missing, record };
    },
  };
}

/** Returns what is known of a listed variant; `undefined` if that is nothing, or about other bytes. */
function knownInfo({ key, etag, bytes }: ListedObject, known: KnownVariants): VariantFacts | undefined {
  const info = known.get(key);
  return info && info.etag === etag ? { ...info, bytes } : undefined;
}

/** Returns all combinations. */
function wantedSpecs({ widths, tiers, formats }: WantedVariants): VariantSpec[] {
  return widths.flatMap((width) =>
    tiers.flatMap((tier) => formats.map((format) => ({ width, tier, format }))),
  );
}
