import { jpegCoarseness } from '../decode/containers/jpeg-quality.ts';
import type { InspectedSource } from '../decode/inspect.ts';

/**
 * Estimates the score (SSIMULACRA2) of a source against the picture before it was compressed, both at the size of a variant. Found with
 * `scripts/bench/small-originals.ts`: the distance from 100 grows with the coarseness of the quantisation and shrinks with the scale, since
 * resizing averages artefacts away. The estimate is within 9 points for 19 of 20 photographs.
 *
 * @param scale - the factor from the source's size to the variant's, at most 1
 * @returns `undefined` if it is not known: only JPEG says how it was compressed in a header
 */
export function estimateSourceScore({ type, bytes }: InspectedSource, scale: number): number | undefined {
  const coarseness = type === 'jpeg' ? jpegCoarseness(bytes) : undefined;
  return coarseness && 100 - 36 * coarseness ** 0.78 * scale ** 0.87;
}

/** Above this score of the source, targets are those of the tiers. */
const FULL_TARGET_FROM = 75;
/** How much of what the source lacks is taken off the target. */
const SHARE_OF_LACK = 0.4;
/** No target is lowered below this: under it, the score against the picture before compression falls as fast as for a good source. */
const LOWEST_TARGET = 72;

/**
 * Lowers the target of a tier for a source that was compressed hard already. Beyond a score of about 72 against such a source, more bytes
 * only reproduce its artefacts: the score against the picture before it was compressed hardly rises; docs/quality.md has the figures.
 *
 * @param sourceScore - as {@link estimateSourceScore} returns it
 */
export function targetFor(tierTarget: number, sourceScore: number | undefined): number {
  if (sourceScore === undefined || sourceScore >= FULL_TARGET_FROM || tierTarget <= LOWEST_TARGET)
    return tierTarget;
  return Math.max(LOWEST_TARGET, tierTarget - SHARE_OF_LACK * (FULL_TARGET_FROM - sourceScore));
}
