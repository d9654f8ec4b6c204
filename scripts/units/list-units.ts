import { UNIT_STATES, type UnitState } from '../../src/protocol/keys.ts';
import type { ListedUnit } from '../../src/unit/unit-states.ts';
import type { Units } from '../../src/unit/units.ts';

const PAGE_SIZE = 1000;

export interface Selection {
  /** Default: all, one state after the other. */
  state?: UnitState | undefined;
  /** Where to begin in the state: a `next`, or the id of a unit. */
  after?: string | undefined;
  /** The most units. */
  limit?: number | undefined;
  /** Only units that have been in their state since before this time, in milliseconds. */
  beforeMs?: number | undefined;
}

/** A unit in its state; or, when there are more than the limit, where they begin. */
export type Listed = (ListedUnit & { state: UnitState }) | { next: { state: UnitState; after?: string } };

/**
 * Lists units by state, in pages, without reading them.
 *
 * @throws the error of the store
 */
export async function* listUnits(units: Pick<Units, 'list'>, selection: Selection): AsyncGenerator<Listed> {
  let left = selection.limit ?? Number.POSITIVE_INFINITY;
  for (const state of selection.state ? [selection.state] : UNIT_STATES) {
    let after = selection.after;
    do {
      if (left === 0) return yield { next: { state, ...(after !== undefined && { after }) } };
      const page = await units.list({ state, after, limit: Math.min(PAGE_SIZE, left) });
      const found = page.units.filter(({ since }) => isOldEnough(since, selection));
      for (const unit of found) yield { ...unit, state };
      left -= found.length;
      after = page.next;
    } while (after !== undefined);
  }
}

function isOldEnough(since: string, { beforeMs = Number.POSITIVE_INFINITY }: Selection): boolean {
  return Date.parse(since) < beforeMs;
}
