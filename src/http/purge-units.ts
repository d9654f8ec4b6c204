import { z } from 'zod';
import { EdgepressError } from '../protocol/error.ts';
import { isUnit, UNIT_RULE } from '../protocol/request.ts';
import type { PurgeResult } from '../purge/purge.ts';
import type { Units } from '../unit/units.ts';
import { asDependencyFailure } from './refusals.ts';

const MAX_IDS = 10_000;
/** Room for as many ids of full length. */
export const MAX_PURGE_BYTES = 2 * 2 ** 20;

const purgeSchema = z.strictObject(
  {
    ids: z
      .array(z.unknown(), 'must be a list of units')
      .min(1, 'is empty')
      .max(MAX_IDS, `has more than ${MAX_IDS} entries`)
      // Only then is each looked at: a million wrong ones would be a million complaints.
      .pipe(z.array(z.string('is no text').refine(isUnit, `is no unit: it must be ${UNIT_RULE}`))),
  },
  'must be {"ids": [unit, …]}',
);

/**
 * Reads the body of `POST /units/purge`.
 *
 * @throws EdgepressError `bad_request`
 */
export function parsePurge(body: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new EdgepressError('bad_request', `The body is not JSON: ${(error as Error).message}`);
  }
  const parsed = purgeSchema.safeParse(value);
  if (parsed.success) return parsed.data.ids;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'body';
  throw new EdgepressError('bad_request', `\`${where}\` ${issue?.message}`, { parameter: where });
}

/**
 * Purges units, and says how far that went when it fails.
 *
 * @throws EdgepressError `overloaded`
 */
export async function purgeUnits(units: Pick<Units, 'purge'>, ids: readonly string[]): Promise<PurgeResult> {
  try {
    return await units.purge(ids);
  } catch (error) {
    const left = await countLeft(units, ids);
    const how =
      left === 0
        ? 'Nothing of this is left in the store, but the CDN may still have copies, as the purge did not finish'
        : 'Not all of this could be removed from the store';
    throw asDependencyFailure(
      error,
      `${how}: send the same again, which is safe. The log says what to change`,
    );
  }
}

/** Objects in the store; `undefined`: it does not say. */
async function countLeft(units: Pick<Units, 'purge'>, ids: readonly string[]): Promise<number | undefined> {
  const left = await units.purge(ids, { dryRun: true }).catch(() => undefined);
  return left?.units.reduce((sum, { objects }) => sum + objects, 0);
}
