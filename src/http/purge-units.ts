import { z } from 'zod';
import { type Invalidation, NOT_TOLD } from '../cdn/cdn.ts';
import { EdgepressError } from '../protocol/error.ts';
import { UNIT_RULE } from '../protocol/request.ts';
import { type PurgeResult, UninvalidatedPurge, UnmarkedPurge, UnstartedPurge } from '../purge/purge.ts';
import type { PurgedGroup } from '../unit/purge-group.ts';
import { unitIdSchema } from '../unit/unit-id.ts';
import type { Units } from '../unit/units.ts';
import { asDependencyFailure } from './responses.ts';

const MAX_IDS = 10_000;
/** Fits `MAX_IDS` ids of 128 characters. */
export const MAX_PURGE_BYTES = 2 * 2 ** 20;

/** How many cache tags an error names. */
const SHOWN_TAGS = 10;

/** In UTF-16 code units. Whatever is in a shorter body, it is parsed in a few milliseconds. */
const LONG_BODY = 100_000;

/** What to purge. */
export type PurgeRequest = { ids: readonly string[] } | { group: string };

/** The body of a purge of a group. */
export const groupSchema = z.strictObject({ group: unitIdSchema('is not text') });
/** The body of a purge of units. */
export const purgeSchema = z.strictObject(
  {
    ids: z
      .array(z.unknown(), 'must be a list of units')
      .min(1, 'is empty')
      .max(MAX_IDS, `has more than ${MAX_IDS} entries`)
      // Entries are checked only if there are not too many: a million wrong ones would be a million issues.
      .pipe(z.array(unitIdSchema('is not a string', `is not a unit id: it must be ${UNIT_RULE}`))),
  },
  'must be {"ids": [unit, …]} or {"group": group}',
);

/**
 * Refuses parameters in the query of a purge: one that was sent in the hope of something milder, such as `dryRun=1`, must not purge.
 *
 * @throws EdgepressError `bad_request`
 */
export function refuseParameters(query: string): void {
  if (query === '') return;
  const [parameter = ''] = query.split(/[=&]/, 1);
  throw new EdgepressError('bad_request', `\`${parameter}\` is not a parameter here: a purge has none`, {
    parameter,
  });
}

/**
 * Parses the body of `POST /units/purge`.
 *
 * @throws EdgepressError `bad_request`
 */
export function parsePurge(body: string): PurgeRequest {
  if (body.length > LONG_BODY) assertFewParts(body);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new EdgepressError('bad_request', `The body is not JSON: ${(error as Error).message}`);
  }
  const isGroup = typeof value === 'object' && value !== null && 'group' in value;
  const parsed = isGroup ? groupSchema.safeParse(value) : purgeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'body';
  throw new EdgepressError('bad_request', `\`${where}\` ${issue?.message}`, { parameter: where });
}

/**
 * Asserts that a long body cannot be more than a list of ids, which contain none of these characters: parsing a million of objects takes
 * so long that other requests notice.
 */
function assertFewParts(body: string): void {
  const count = (character: string) => body.split(character, MAX_IDS + 1).length - 1;
  if (count('{') > 1 || count('[') > 1)
    throw new EdgepressError('bad_request', '`body` must be {"ids": [unit, …]}', { parameter: 'body' });
  if (count(',') >= MAX_IDS)
    throw new EdgepressError('bad_request', `\`ids\` has more than ${MAX_IDS} entries`, { parameter: 'ids' });
}

/**
 * Purges units.
 *
 * @throws EdgepressError `overloaded` if the store or the CDN fails; it says whether the units are still in the store
 */
export async function purgeUnits(units: Pick<Units, 'purge'>, ids: readonly string[]): Promise<PurgeResult> {
  try {
    return await units.purge(ids);
  } catch (error) {
    const state = await describeState(units, ids, error);
    throw asDependencyFailure(
      error,
      `${state}: send the same again, which is safe. The log says what to change`,
    );
  }
}

/**
 * Purges a group of units.
 *
 * @throws EdgepressError `overloaded` if the store or the CDN fails
 */
export async function purgeGroup(units: Pick<Units, 'purgeGroup'>, group: string): Promise<PurgedGroup> {
  try {
    return await units.purgeGroup(group);
  } catch (error) {
    const state =
      error instanceof UninvalidatedPurge ? describeCopies(error) : 'Not all of the group could be purged';
    throw asDependencyFailure(error, `${state}: send the same again, which goes on from there`);
  }
}

/** Adds to the result of a purge that no cache was told of it, if none was. */
export function sayIfUntold<T extends { invalidations: readonly Invalidation[] }>(
  result: T,
): T & { notTold?: string } {
  return result.invalidations.length === 0 ? { ...result, notTold: NOT_TOLD } : result;
}

async function describeState(
  units: Pick<Units, 'purge'>,
  ids: readonly string[],
  error: unknown,
): Promise<string> {
  if (error instanceof UninvalidatedPurge) return describeCopies(error);
  if (error instanceof UnstartedPurge)
    return 'Not all of this was purged: of units whose tombstone could not be stored, nothing was removed';
  if ((await countLeft(units, ids)) !== 0) return 'Not all of this could be removed from the store';
  return error instanceof UnmarkedPurge
    ? 'What was stored of this is removed, but not marked as purged, so that work in flight may store more of it'
    : 'Nothing of this is left in the store, but the CDN may still have copies, because the purge did not finish';
}

/** Says what was removed, and that the copies of the CDN are what is left. */
function describeCopies({ units }: UninvalidatedPurge): string {
  const objects = units.reduce((sum, unit) => sum + unit.objects, 0);
  const bytes = units.reduce((sum, unit) => sum + unit.bytes, 0);
  const shown = units.slice(0, SHOWN_TAGS).map(({ cacheTag }) => cacheTag);
  const tags = [...shown, ...(units.length > SHOWN_TAGS ? ['…'] : [])].join(', ');
  return `Nothing of this is left in the store, but the CDN may still have copies: it failed to invalidate them. Removed from the store: ${objects} objects, ${bytes} bytes (cache tags ${tags})`;
}

/** Returns the number of objects that are left in the store, or `undefined` if it cannot be read. */
async function countLeft(units: Pick<Units, 'purge'>, ids: readonly string[]): Promise<number | undefined> {
  const left = await units.purge(ids, { dryRun: true }).catch(() => undefined);
  return left?.units.reduce((sum, { objects }) => sum + objects, 0);
}
