import pMap from 'p-map';
import type { Effort } from '../encode/encoder.ts';
import { parseVariantKey, sourceFolder, unitAddress, type VariantSpec } from '../protocol/keys.ts';
import { requesterOf } from '../variant/variant-object.ts';
import type { CurrentManifest } from './current-manifest.ts';
import type { InventoryServices } from './inventory.ts';
import { type Manifest, UnreadableManifest } from './manifest.ts';
import type { WantedVariants } from './unit.ts';

/** What viewers asked for of a unit against what prewarm makes: the answer to `GET /units/{id}?asked=1`. */
export interface AskedUnit {
  id: string;
  /** What prewarm makes of each image; not set for a unit that was never sent. */
  prewarm?: WantedVariants;
  /** By width, tier and format. */
  variants: readonly AskedVariant[];
  /** The fewest settings that cover what was asked for as well. Not set if nothing is missing. */
  covering?: WantedVariants;
}

export interface AskedVariant extends VariantSpec {
  /** How many images have it. */
  images: number;
  /**
   * `prewarmed`: prewarm makes it; whether viewers ask for it is not known, since a CDN answers. `asked`: prewarm does not make it, a viewer
   * asked for it. `formerly prewarmed`: prewarm made it and would not any more. `other source`: a viewer asked for it of a source that the
   * unit does not name, such as one whose URL is spelt in another way.
   */
  state: 'prewarmed' | 'asked' | 'formerly prewarmed' | 'other source';
}

/** Returns what was asked for of a unit; `undefined`: there is neither a manifest nor a variant of it. */
export type ReadAsked = (id: string) => Promise<AskedUnit | undefined>;

export interface AskedServices extends InventoryServices {
  manifests: Pick<CurrentManifest, 'read'>;
  /** Of prewarm. */
  effort: Effort;
}

/** The most variants of one unit that are looked up in the store at the same time. */
const LOOKUP_CONCURRENCY = 16;

export function createReadAsked(services: AskedServices): ReadAsked {
  return async (id) => {
    const manifest = await readManifest(services, id);
    const states = await statesOf(services, id, manifest);
    if (!manifest && states.length === 0) return undefined;
    const { widths, tiers, formats } = manifest ?? NOTHING;
    const variants = countVariants(states);
    const missing = variants.filter(({ state }) => state === 'asked');
    return {
      id,
      ...(manifest && { prewarm: { widths, tiers, formats } }),
      variants,
      ...(missing.length > 0 && { covering: coveringOf({ widths, tiers, formats }, missing) }),
    };
  };
}

const NOTHING: WantedVariants = { widths: [], tiers: [], formats: [] };

async function readManifest({ manifests }: AskedServices, id: string): Promise<Manifest | undefined> {
  try {
    return await manifests.read(id);
  } catch (error) {
    if (error instanceof UnreadableManifest) return undefined;
    throw error;
  }
}

type VariantState = Pick<AskedVariant, 'state'> & VariantSpec;

/** Lists the unit once, and looks up only what prewarm does not make. */
async function statesOf(
  services: AskedServices,
  id: string,
  manifest: Manifest | undefined,
): Promise<VariantState[]> {
  const { store, sha256 } = services;
  const folders = manifest && foldersOf(manifest, services);
  const keys: string[] = [];
  for await (const { key } of store.list(unitAddress(id, sha256).folder)) keys.push(key);

  async function stateOf(key: string): Promise<VariantState[]> {
    const spec = parseVariantKey(key);
    if (!spec) return [];
    const isOfUnit = folders?.has(key.slice(0, key.lastIndexOf('/'))) ?? true;
    if (isOfUnit && manifest && isWanted(manifest, spec)) return [{ ...spec, state: 'prewarmed' }];
    const info = await store.head(key);
    if (!info) return [];
    if (requesterOf(info, services.effort) === 'prewarm') return [{ ...spec, state: 'formerly prewarmed' }];
    return [{ ...spec, state: isOfUnit ? 'asked' : 'other source' }];
  }

  return (await pMap(keys, stateOf, { concurrency: LOOKUP_CONCURRENCY })).flat();
}

/** Returns the folders of the sources that a unit names. */
function foldersOf({ id, images }: Manifest, { sha256 }: AskedServices): ReadonlySet<string> {
  const { folder } = unitAddress(id, sha256);
  return new Set(images.map(({ src }) => sourceFolder(folder, src, sha256)));
}

function isWanted({ widths, tiers, formats }: WantedVariants, { width, tier, format }: VariantSpec): boolean {
  return widths.includes(width) && tiers.includes(tier) && formats.includes(format);
}

/** Counts images by variant and state, by width, then tier, format and state. */
function countVariants(states: readonly VariantState[]): AskedVariant[] {
  return mergeVariants(states.map((state) => ({ ...state, images: 1 })));
}

/** Adds up the images of variants with the same name and state, as of several units. */
export function mergeVariants(variants: readonly AskedVariant[]): AskedVariant[] {
  const merged = new Map<string, AskedVariant>();
  for (const variant of variants) {
    const { width, tier, format, state } = variant;
    const name = `${String(width).padStart(5, '0')} ${tier} ${format} ${state}`;
    const images = (merged.get(name)?.images ?? 0) + variant.images;
    merged.set(name, { width, tier, format, state, images });
  }
  return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, variant]) => variant);
}

/** Returns what prewarm has to make so that all combinations cover these variants as well. */
export function coveringOf(
  { widths, tiers, formats }: WantedVariants,
  missing: readonly VariantSpec[],
): WantedVariants {
  const union = <T>(wanted: readonly T[], asked: readonly T[]) => [...new Set([...wanted, ...asked])];
  return {
    widths: union(
      widths,
      missing.map(({ width }) => width),
    ).sort((a, b) => a - b),
    tiers: union(
      tiers,
      missing.map(({ tier }) => tier),
    ),
    formats: union(
      formats,
      missing.map(({ format }) => format),
    ),
  };
}
