import type { Cdn, Invalidation } from './cdn.ts';

/** A CDN and what its invalidations are marked with. */
export interface NamedCdn {
  /** As `CDN` has it, such as `cloudfront:E2EXAMPLE`. */
  name: string;
  cdn: Cdn;
}

/**
 * Tells several caches, one after another, the one nearest to the service first: if an outer one forgot its copy first, it could fetch the old
 * one from the inner. All are told even if one fails.
 *
 * @param cdns - at least one, the nearest first
 */
export function createSeveralCdns(cdns: readonly NamedCdn[]): Cdn {
  return {
    async invalidate(tags) {
      const invalidations: Invalidation[] = [];
      const faults: Error[] = [];
      for (const { name, cdn } of cdns) {
        try {
          for (const one of await cdn.invalidate(tags)) invalidations.push({ ...one, cdn: name });
        } catch (error) {
          faults.push(error as Error);
        }
      }
      if (faults.length > 0) throw joinFaults(faults, new Set(invalidations.map(({ cdn }) => cdn)));
      return invalidations;
    },
    async wait(invalidations, options) {
      for (const { name, cdn } of cdns) {
        const own = invalidations.filter((one) => one.cdn === name);
        if (own.length > 0) await cdn.wait(own, options);
      }
    },
    close() {
      for (const { cdn } of cdns) cdn.close();
    },
  };
}

/**
 * A tag that is none is refused by all of them, as a TypeError.
 *
 * @param told - the names of those that were told all the same
 */
function joinFaults(faults: readonly Error[], told: ReadonlySet<string | undefined>): Error {
  const bug = faults.find((fault) => fault instanceof TypeError);
  if (bug) return bug;
  const others = told.size > 0 ? [`told all the same: ${[...told].join(', ')}`] : [];
  const message = [...faults.map(({ message }) => message), ...others].join('; ');
  return new Error(message, { cause: faults[0] });
}
