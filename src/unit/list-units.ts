import pMap from 'p-map';
import type { UnitState } from '../protocol/keys.ts';
import type { CurrentManifest } from './current-manifest.ts';
import type { Packs } from './packs.ts';
import type { ListedUnit, UnitStates } from './unit-states.ts';

export interface UnitQuery {
  state: UnitState;
  /** The `next` of the page before. Default: the first page. */
  after?: string | undefined;
  /** The most units in a page. */
  limit: number;
}

export interface UnitPage {
  units: readonly ListedUnit[];
  /** There may be more units. After a page that has fewer than `limit`, too. */
  next?: string;
}

/**
 * Returns a page of the units that are in a state, without reading units: those that are listed by marks by shard and id, then those that are
 * pending in packs.
 *
 * @throws the error of the store
 */
export type ListUnits = (query: UnitQuery) => Promise<UnitPage>;

export interface ListUnitsServices {
  states: Pick<UnitStates, 'list' | 'hasResult'>;
  packs: Pick<Packs, 'list' | 'readAll'>;
  manifests: Pick<CurrentManifest, 'isOutdated'>;
}

/** What `after` is within packs: the name of a pack, and how many of its units are behind. No id has a colon. */
export const PACK_CURSOR = /^([\w.-]*):(\d{1,6})$/;
const FIRST_IN_PACKS = ':0';
/** The most units of packs that a page looks at: many of them may be done. */
const MAX_LOOKED_AT = 2000;
const LOOKUP_CONCURRENCY = 32;

/** Whether a text is an `after` within packs. */
export function isPackCursor(text: string): boolean {
  return PACK_CURSOR.test(text);
}

export function createListUnits({ states, packs, manifests }: ListUnitsServices): ListUnits {
  async function listMarked({ state, after, limit }: UnitQuery): Promise<UnitPage> {
    const units: ListedUnit[] = [];
    for await (const unit of states.list(state, after)) {
      units.push(unit);
      if (units.length === limit) return { units, next: unit.id };
    }
    return state === 'pending' ? await listPacked(FIRST_IN_PACKS, limit, units) : { units };
  }

  async function listPacked(
    after: string,
    limit: number,
    found: readonly ListedUnit[] = [],
  ): Promise<UnitPage> {
    const [, firstPack = '', skipped] = PACK_CURSOR.exec(after) ?? [];
    const units = [...found];
    let lookedAt = 0;
    for await (const { key } of packs.list()) {
      const name = key.slice(key.lastIndexOf('/') + 1);
      if (name < firstPack) continue;
      const start = name === firstPack ? Number(skipped) : 0;
      const room = Math.min(limit - units.length, MAX_LOOKED_AT - lookedAt);
      if (room <= 0) return { units, next: `${name}:${start}` };
      const rest = (await packs.readAll(key)).slice(start);
      const part = rest.slice(0, room);
      const pending = await pMap(
        part,
        async (packed): Promise<ListedUnit[]> => {
          const { manifest, storedMs } = packed;
          if ((await states.hasResult(manifest)) || (await manifests.isOutdated(packed))) return [];
          return [{ id: manifest.id, since: new Date(storedMs).toISOString() }];
        },
        { concurrency: LOOKUP_CONCURRENCY },
      );
      units.push(...pending.flat());
      lookedAt += part.length;
      if (part.length < rest.length) return { units, next: `${name}:${start + part.length}` };
    }
    return { units };
  }

  return async (query) => {
    const { state, after, limit } = query;
    const isInPacks = state === 'pending' && after !== undefined && isPackCursor(after);
    return isInPacks ? await listPacked(after, limit) : await listMarked(query);
  };
}
