import { EdgepressError } from '../protocol/error.ts';
import { UNIT_STATES, type UnitState } from '../protocol/keys.ts';
import { isUnit } from '../protocol/request.ts';
import { isPackCursor, type UnitQuery } from '../unit/list-units.ts';

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1000;

/**
 * Reads the query of `GET /units`: `state`, and optionally `after` and `limit`.
 *
 * @throws EdgepressError `bad_request`
 */
export function parseUnitQuery(query: string): UnitQuery {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!['state', 'after', 'limit'].includes(name)) refuse(name, 'is not a parameter here');
    if (parameters.getAll(name).length > 1) refuse(name, 'may be there once');
  }
  const state = parameters.get('state');
  if (!isState(state)) return refuse('state', `must be one of ${UNIT_STATES.join(', ')}`);
  const after = parameters.get('after') ?? undefined;
  const isCursor = after === undefined || isUnit(after) || (state === 'pending' && isPackCursor(after));
  if (!isCursor) refuse('after', 'must be the `next` of a page before, or the id of a unit');
  const limit = parameters.get('limit') ?? String(DEFAULT_LIMIT);
  if (!/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > MAX_LIMIT)
    refuse('limit', `must be a whole number from 1 to ${MAX_LIMIT}`);
  return { state, after, limit: Number(limit) };
}

function isState(text: string | null): text is UnitState {
  return UNIT_STATES.some((state) => state === text);
}

function refuse(parameter: string, why: string): never {
  throw new EdgepressError('bad_request', `The query parameter \`${parameter}\` ${why}`, { parameter });
}
