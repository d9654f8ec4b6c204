import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { StoredInfo, VariantStore } from '../store/store.ts';
import { type Sha256, unitAddress, variantAddress } from '../variant/key.ts';
import type { VariantChoice } from '../variant/make-variants.ts';
import type { Manifest } from './manifest.ts';
import type { UnitImage, WantedVariants } from './unit.ts';

/** What is in the store of one image of a unit. */
export interface SurveyedImage {
  image: UnitImage;
  /** What is wanted of it, in the order in which it is told. */
  wanted: readonly VariantChoice[];
  /** The wanted variants that are there. */
  found: readonly FoundVariant[];
  missing: readonly VariantChoice[];
  /** Why its source is broken, if that is known. */
  record: SourceRecord | undefined;
}

export interface FoundVariant {
  choice: VariantChoice;
  info: StoredInfo;
}

/** Looks up one image of a unit. */
export type SurveyImage = (image: UnitImage) => Promise<SurveyedImage>;

/** What a survey needs. */
export interface SurveyServices {
  store: VariantStore;
  records: Pick<SourceRecords, 'read'>;
  sha256: Sha256;
}

/**
 * Looks at what is in the store of a unit: one listing, and then only objects that are there are asked for.
 *
 * @returns what looks up each image, with as many requests as it has wanted variants in the store
 */
export async function surveyUnit(services: SurveyServices, manifest: Manifest): Promise<SurveyImage> {
  const { store, records, sha256 } = services;
  const present = new Set<string>();
  for await (const { key } of store.list(unitAddress(manifest.id, sha256).folder)) present.add(key);
  const choices = choicesOf(manifest);

  return async (image) => {
    const addressOf = (choice: VariantChoice) =>
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
function choicesOf({ widths, tiers, formats }: WantedVariants): VariantChoice[] {
  return widths.flatMap((width) =>
    tiers.flatMap((tier) => formats.map((format) => ({ width, tier, format }))),
  );
}
