import type { UnitState } from '../../src/protocol/keys.ts';
import type { ListedUnit } from '../../src/unit/unit-states.ts';
import type { Units } from '../../src/unit/units.ts';

const PAGE_SIZE = 1000;

/** Lists all units that are in a state, page by page. */
export async function* listedUnits(
  units: Pick<Units, 'list'>,
  state: UnitState,
): AsyncGenerator<ListedUnit, void> {
  let after: string | undefined;
  do {
    const page = await units.list({ state, after, limit: PAGE_SIZE });
    yield* page.units;
    after = page.next;
  } while (after !== undefined);
}
