import { EdgepressError } from '../protocol/error.ts';
import { type Sha256, unitAddress, type VariantSpec, variantAddress } from '../protocol/keys.ts';
import { IMAGE_PATH_PREFIX, parseRequest } from '../protocol/request.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { StoredInfo, VariantStore } from '../store/store.ts';
import type { Manifest } from './manifest.ts';
import type { UnitImage, WantedVariants } from './unit.ts';

/** What is in the store of one image of a unit. */
export interface ImageInventory {
  image: UnitImage;
  /** What is wanted of it, in the order in which it is told. */
  wanted: readonly VariantSpec[];
  /** The wanted variants that are there. */
  found: readonly FoundVariant[];
  missing: readonly VariantSpec[];
  /** Why its source is broken, if that is known. */
  record: SourceRecord | undefined;
}

export interface FoundVariant {
  choice: VariantSpec;
  info: StoredInfo;
}

/** Looks up one image of a unit. */
export type ReadImageInventory = (image: UnitImage) => Promise<ImageInventory>;

/** What a survey needs. */
export interface InventoryServices {
  store: VariantStore;
  records: Pick<SourceRecords, 'read'>;
  sha256: Sha256;
}

/**
 * Looks at what is in the store of a unit: one listing, and then only objects that are there are asked for.
 *
 * @returns what looks up each image, with as many requests as it has wanted variants in the store
 */
export async function readUnitInventory(
  services: InventoryServices,
  manifest: Manifest,
): Promise<ReadImageInventory> {
  const { store, records, sha256 } = services;
  const present = new Set<string>();
  for await (const { key } of store.list(unitAddress(manifest.id, sha256).folder)) present.add(key);
  const choices = choicesOf(manifest);

  return async (image) => {
    const addressOf = (choice: VariantSpec) =>
      variantAddress({ unit: manifest.id, src: image.src, ...choice }, sha256);
    const looked = await Promise.all(
      choices.map(async (choice) => {
        const { key } = addressOf(choice);
        // What is listed and still not found is damaged, or was removed meanwhile.
        return { choice, info: present.has(key) ? await store.head(key) : undefined };
      }),
    );
    const found = looked.filter((variant): variant is FoundVariant => variant.info !== undefined);
    const missing = looked.flatMap(({ choice, info }) => (info ? [] : [choice]));
    const recordKey = choices[0] && addressOf(choices[0]).recordKey;
    const isRecorded = recordKey !== undefined && missing.length > 0 && present.has(recordKey);
    return {
      image,
      wanted: choices,
      found,
      missing,
      record: isRecorded ? await records.read(recordKey) : undefined,
    };
  };
}

/** All combinations. */
function choicesOf({ widths, tiers, formats }: WantedVariants): VariantSpec[] {
  return widths.flatMap((width) =>
    tiers.flatMap((tier) => formats.map((format) => ({ width, tier, format }))),
  );
}

/** JSON can spell what no URL can. */
const HALF_A_CHARACTER = /\p{Surrogate}/u;

/** The longest that a request for an image of a unit says beside its source: signed, with every parameter. */
const LONGEST_REST = `&w=16383&q=balanced&f=jpeg&exp=9999999999&sig=${'k'.repeat(64)}.${'s'.repeat(43)}`;

/**
 * Refuses a source that no request could ask for, or that may not be fetched; asks nobody.
 *
 * @throws EdgepressError `bad_request` or `source_forbidden`
 */
export function assertImageAllowed(
  source: Pick<SourceFetcher, 'assertAllowed'>,
  unit: string,
  src: string,
): void {
  if (HALF_A_CHARACTER.test(src)) throw new EdgepressError('bad_request', 'the source is not valid Unicode');
  const parsed = parseRequest(`${IMAGE_PATH_PREFIX}${unit}?src=${encodeURIComponent(src)}${LONGEST_REST}`);
  if (!parsed.ok) throw new EdgepressError(parsed.fault.code, parsed.fault.detail);
  source.assertAllowed(src);
}
