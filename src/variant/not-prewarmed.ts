import type { Sha256, VariantName } from '../protocol/keys.ts';
import type { MetricSource } from '../telemetry/metric-source.ts';

// Why a variant had to be made for a viewer although its unit is prewarmed: what prewarm makes is not what is asked for.

/** What prewarm makes of a unit: all combinations. As in its manifest, and so not checked. */
export interface PrewarmedUnit {
  images: readonly { src: string }[];
  widths: readonly number[];
  tiers: readonly string[];
  formats: readonly string[];
}

/** What of a request prewarm does not make. `source`: the unit has no image with this URL. */
export type Gap = 'source' | 'format' | 'width' | 'tier';

const GAPS: readonly Gap[] = ['source', 'format', 'width', 'tier'];

/** Of units with more images it is not known whether one has another spelling of the source: each would have to be hashed. */
const MAX_HASHED = 100;

/** Returns what of a variant is not among what prewarm makes of its unit; nothing if prewarm makes it, and only has not made it yet. */
function gapsOf(unit: PrewarmedUnit, name: VariantName, sha256: Sha256): readonly Gap[] {
  if (!hasSource(unit, name.src, sha256)) return ['source'];
  const isMade: Record<Gap, boolean> = {
    source: true,
    format: unit.formats.includes(name.format),
    width: unit.widths.includes(name.width),
    tier: unit.tiers.includes(name.tier),
  };
  return GAPS.filter((gap) => !isMade[gap]);
}

function hasSource({ images }: PrewarmedUnit, src: string, sha256: Sha256): boolean {
  if (images.length > MAX_HASHED || images.some((image) => image.src === src)) return true;
  const hash = sha256(src);
  return images.some((image) => sha256(String(image.src)) === hash);
}

/** Counts and returns what prewarm does not make of a variant that is made for a viewer; nothing if its unit is not prewarmed. */
export type FindGaps = (name: VariantName, unit: PrewarmedUnit | undefined) => readonly Gap[];

/** The name of the metric, which is one of the counts that Lambda functions log, too. */
export const NOT_PREWARMED = 'not_prewarmed_total';

export function createGapCounts(sha256: Sha256): {
  findGaps: FindGaps;
  metricSources: readonly MetricSource[];
} {
  const counts: Record<Gap, number> = { source: 0, format: 0, width: 0, tier: 0 };
  return {
    findGaps(name, unit) {
      const gaps = unit ? gapsOf(unit, name, sha256) : [];
      for (const gap of gaps) counts[gap]++;
      return gaps;
    },
    metricSources: [
      {
        name: NOT_PREWARMED,
        type: 'counter',
        help: 'Variants made for viewers that prewarm does not make, although it makes others of their unit, by what differs: a variant that differs in two counts for both',
        labelNames: ['reason'],
        read: () => GAPS.map((reason) => ({ labels: { reason }, value: counts[reason] })),
      },
    ],
  };
}
