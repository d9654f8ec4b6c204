import { z } from 'zod';
import { isUnit, UNIT_PATTERN, UNIT_RULE } from '../protocol/request.ts';

/** What says in JSON Schema what `isUnit` does. */
export const UNIT_JSON_SCHEMA = { pattern: UNIT_PATTERN.source, not: { enum: ['.', '..'] } };

/**
 * Returns the schema of the id of a unit, which a group has, too.
 *
 * @param notText - what is wrong with what is no text
 * @param notUnit - what is wrong with other text
 */
export function unitIdSchema(notText: string, notUnit = `must be ${UNIT_RULE}`): z.ZodString {
  return z.string(notText).refine(isUnit, notUnit).meta(UNIT_JSON_SCHEMA);
}
