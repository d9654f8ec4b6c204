import { parseUrl } from '../../src/parse-url.ts';
import type { ImageOutcome, ReadyImage, RefusedLine, VariantSummary } from '../../src/unit/outcome.ts';

/** The totals of a prewarm run. Their size in memory is bounded, however many units there are. */
export interface Totals {
  readonly counts: Readonly<Counts>;
  /** What was made, by width, tier and format. */
  readonly kinds: readonly VariantKind[];
  /** The reasons why images are broken, with their hosts, most frequent first. */
  brokenReasons(): readonly BrokenReason[];
  /** The first few refused lines. */
  readonly refusals: readonly RefusedInput[];
  addOutcome(outcome: ImageOutcome): void;
  /** Counts images whose outcome is not known as pending. */
  addUnknown(images: number): void;
  addRefused(line: RefusedInput): void;
  /** @param isPurged - whether it was purged before any of its images had an outcome */
  endUnit(isPurged: boolean): void;
}

export interface Counts {
  units: number;
  /** How many of these units were purged meanwhile. */
  purged: number;
  ready: number;
  /** How many of the ready images had all their variants before. */
  skipped: number;
  broken: number;
  pending: number;
  refused: number;
  /** Of the originals of the ready images. */
  sourceBytes: number;
  /** By how much these originals exceed what a contractor downloads instead, which is at most the largest variant of each. */
  savedBytes: number;
}

/** The sums of all variants of one width, tier and format. */
export interface VariantKind extends Pick<VariantSummary, 'width' | 'tier' | 'format'> {
  images: number;
  bytes: number;
  /** Of the originals of these images. */
  sourceBytes: number;
}

export interface BrokenReason {
  code: string;
  /** `other hosts` once there are too many to count separately. */
  host: string;
  images: number;
}

/** A refused line of input, with the name of its file when there is more than one. */
export type RefusedInput = RefusedLine & { file?: string };

const MAX_REASONS = 1000;
const MAX_REFUSALS = 5;

export function createTotals(): Totals {
  const counts: Counts = {
    ...{ units: 0, purged: 0, ready: 0, skipped: 0, broken: 0, pending: 0, refused: 0 },
    ...{ sourceBytes: 0, savedBytes: 0 },
  };
  const kinds = new Map<string, VariantKind>();
  const reasons = new Map<string, BrokenReason>();
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
    const ownHost = hostOf(src);
    const isSeparate = reasons.has(`${code} ${ownHost}`) || reasons.size < MAX_REASONS;
    const host = isSeparate ? ownHost : 'other hosts';
    getOrAdd(reasons, `${code} ${host}`, () => ({ code, host, images: 0 })).images++;
  }

  return {
    counts,
    get kinds() {
      return [...kinds.values()].sort(
        (a, b) => a.width - b.width || compare(a.tier, b.tier) || compare(a.format, b.format),
      );
    },
    brokenReasons: () => [...reasons.values()].sort((a, b) => b.images - a.images || compare(a.code, b.code)),
    refusals,
    addOutcome(outcome) {
      counts[outcome.state]++;
      if (outcome.state === 'ready') addReady(outcome);
      if (outcome.state === 'broken') addBroken(outcome.code, outcome.src);
    },
    addUnknown(images) {
      counts.pending += images;
    },
    addRefused(line) {
      counts.refused++;
      if (refusals.length < MAX_REFUSALS) refusals.push(line);
    },
    endUnit(isPurged) {
      counts.units++;
      if (isPurged) counts.purged++;
    },
  };
}

function getOrAdd<V>(map: Map<string, V>, key: string, create: () => V): V {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}

/** The host of a source, or the bucket of an `s3:` one; `no URL` when it does not parse. */
function hostOf(src: string): string {
  const url = parseUrl(src);
  if (!url) return 'no URL';
  const { protocol, host } = url;
  return protocol === 's3:' ? `s3://${host}` : host || 'no host';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
