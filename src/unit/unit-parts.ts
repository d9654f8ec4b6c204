import pMap from 'p-map';
import { PARTS_FOLDER, type Sha256, unitAddress } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';
import type { KnownVariant } from './known-variants.ts';
import { type Manifest, startOfManifest } from './manifest.ts';
import { joinSummaries, type UnitSummary } from './unit-summary.ts';

/** What became of the parts of a unit whose images are divided between jobs: an object for each, until the last one is there. */
export interface UnitParts {
  /**
   * Records what became of a part.
   *
   * @param from - the index of the first image of the part
   * @returns what became of the whole unit if all of its parts are there. Of two that end at the same time, both may get it
   */
  add(manifest: Manifest, from: number, part: PartResult): Promise<PartResult | undefined>;
  /** Removes the parts of this submission, and of earlier ones. */
  remove(manifest: Manifest): Promise<void>;
}

/** What became of images of a unit, and the variants of those that are ready. */
export interface PartResult {
  summary: UnitSummary;
  variants: readonly KnownVariant[];
}

interface PartName {
  key: string;
  /** When the unit was sent, in Unix milliseconds. */
  receivedMs: number;
  from: number;
  images: number;
}

/** The time of the submission, the index of the first image, and the number of images. */
const PART_NAME = /\/(\d{13})-(\d{6})-(\d+)\.json$/;
const READ_CONCURRENCY = 16;

export function createUnitParts(store: VariantStore, sha256: Sha256): UnitParts {
  const folderOf = (unit: string) => `${unitAddress(unit, sha256).folder}/${PARTS_FOLDER}`;

  /** Lists parts, of any submission. */
  async function list(unit: string): Promise<PartName[]> {
    const parts: PartName[] = [];
    for await (const { key } of store.list(folderOf(unit))) {
      const [, time, from, images] = PART_NAME.exec(key) ?? [];
      if (time !== undefined)
        parts.push({ key, receivedMs: Number(time), from: Number(from), images: Number(images) });
    }
    return parts;
  }

  async function readPart({ key }: PartName): Promise<PartResult> {
    const object = await store.get(key);
    if (!object) throw new Error(`${key} was removed by another process`);
    // Earlier versions named no variants.
    const { summary, variants = [] } = JSON.parse(
      new TextDecoder().decode(object.body),
    ) as Partial<PartResult> & Pick<PartResult, 'summary'>;
    return { summary, variants };
  }

  return {
    async add(manifest, from, { summary, variants }) {
      const { id, receivedAt, lastPurge } = manifest;
      const receivedMs = startOfManifest(manifest).atMs;
      const time = String(receivedMs).padStart(13, '0');
      const name = `${time}-${String(from).padStart(6, '0')}-${summary.ready + summary.broken}.json`;
      // With the times of a manifest, so that a purge knows what is older.
      const body = new TextEncoder().encode(JSON.stringify({ receivedAt, lastPurge, summary, variants }));
      await store.put(`${folderOf(id)}/${name}`, body, { contentType: 'application/json' });
      const parts = (await list(id)).filter((part) => part.receivedMs === receivedMs);
      const whole = wholeOf(parts, manifest.images.length);
      if (!whole) return undefined;
      const results = await pMap(whole, readPart, { concurrency: READ_CONCURRENCY });
      return {
        summary: joinSummaries(results.map((part) => part.summary)),
        variants: results.flatMap((part) => part.variants),
      };
    },
    async remove(manifest) {
      const { atMs } = startOfManifest(manifest);
      const old = (await list(manifest.id)).filter(({ receivedMs }) => receivedMs <= atMs);
      await store.delete(old.map(({ key }) => key));
    },
  };
}

/**
 * Returns the parts of which each begins where the one before ends, up to the last image; `undefined` if one is missing. There may be others:
 * jobs of an earlier submission, which had another number of images, end as parts of this one.
 */
function wholeOf(parts: readonly PartName[], images: number): PartName[] | undefined {
  const longest = new Map<number, PartName>();
  for (const part of parts) {
    if (part.images > (longest.get(part.from)?.images ?? 0)) longest.set(part.from, part);
  }
  const whole: PartName[] = [];
  let end = 0;
  while (end < images) {
    const part = longest.get(end);
    if (!part) return undefined;
    whole.push(part);
    end += part.images;
  }
  return whole;
}
