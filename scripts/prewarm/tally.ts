import type { ImageOutcome, MadeVariant, ReadyImage, RefusedLine } from '../../src/unit/outcome.ts';

/** How a run of prewarm stands. Its size does not depend on how much has been done. */
export interface Tally {
  readonly counts: Readonly<Counts>;
  /** What has been made, by width, tier and format. */
  readonly kinds: readonly Kind[];
  /** Why images are broken and where they are, most frequent first. */
  brokenBy(): readonly Reason[];
  /** The first few. */
  readonly refusals: readonly RefusedInput[];
  add(outcome: ImageOutcome): void;
  /** Counts images of which nobody knows how it went. */
  addUnknown(images: number): void;
  refuse(line: RefusedInput): void;
  /** @param isEmpty - whether it was purged before anything could be said of its images */
  endUnit(isEmpty: boolean): void;
}

export interface Counts {
  units: number;
  /** Of these, the ones that were purged meanwhile. */
  purged: number;
  ready: number;
  /** Of the ready ones, those of which everything was there before. */
  skipped: number;
  broken: number;
  pending: number;
  refused: number;
  /** Of the ready images' originals. */
  sourceBytes: number;
  /** By how much these are more than what a contractor downloads in their place: at least, the largest variant of each. */
  savedBytes: number;
}

/** All variants of one width, tier and format. */
export interface Kind extends Pick<MadeVariant, 'width' | 'tier' | 'format'> {
  images: number;
  bytes: number;
  /** Of the originals of these images. */
  sourceBytes: number;
}

export interface Reason {
  code: string;
  /** `other hosts`: more than can be told apart. */
  host: string;
  images: number;
}

/** A line of input that is no unit, and where it is if there is more than one place. */
export type RefusedInput = RefusedLine & { file?: string };

const MAX_REASONS = 1000;
const MAX_REFUSALS = 5;

export function createTally(): Tally {
  const counts: Counts = {
    ...{ units: 0, purged: 0, ready: 0, skipped: 0, broken: 0, pending: 0, refused: 0 },
    ...{ sourceBytes: 0, savedBytes: 0 },
  };
  const kinds = new Map<string, Kind>();
  const reasons = new Map<string, Reason>();
  const refusals: RefusedInput[] = [];

  function addReady({ sourceBytes, variants, skipped }: ReadyImage): void {
    if (skipped) counts.skipped++;
    counts.sourceBytes += sourceBytes;
    counts.savedBytes += sourceBytes - Math.max(0, ...variants.map(({ bytes }) => bytes));
    for (const { width, tier, format, bytes } of variants) {
      const kind = getOrAdd(kinds, `${width} ${tier} ${format}`, () => {
        return { width, tier, format, images: 0, bytes: 0, sourceBytes: 0 };
      });
      kind.images++;
      kind.bytes += bytes;
      kind.sourceBytes += sourceBytes;
    }
  }

  function addBroken(code: string, src: string): void {
    const host = hostOf(src);
    const isKept = reasons.has(`${code} ${host}`) || reasons.size < MAX_REASONS;
    const told = isKept ? host : 'other hosts';
    getOrAdd(reasons, `${code} ${told}`, () => ({ code, host: told, images: 0 })).images++;
  }

  return {
    counts,
    get kinds() {
      return [...kinds.values()].sort(
        (a, b) => a.width - b.width || compare(a.tier, b.tier) || compare(a.format, b.format),
      );
    },
    brokenBy: () => [...reasons.values()].sort((a, b) => b.images - a.images || compare(a.code, b.code)),
    refusals,
    add(outcome) {
      counts[outcome.state]++;
      if (outcome.state === 'ready') addReady(outcome);
      if (outcome.state === 'broken') addBroken(outcome.code, outcome.src);
    },
    addUnknown(images) {
      counts.pending += images;
    },
    refuse(line) {
      counts.refused++;
      if (refusals.length < MAX_REFUSALS) refusals.push(line);
    },
    endUnit(isEmpty) {
      counts.units++;
      if (isEmpty) counts.purged++;
    },
  };
}

function getOrAdd<V>(map: Map<string, V>, key: string, create: () => V): V {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}

/** Where a source is; of what is no URL, that. */
function hostOf(src: string): string {
  if (!URL.canParse(src)) return 'no URL';
  const { protocol, host } = new URL(src);
  return protocol === 's3:' ? `s3://${host}` : host || 'no host';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
