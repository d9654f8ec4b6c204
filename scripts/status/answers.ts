import type { UnitStatus } from '../../src/unit/status.ts';
import type { Units } from '../../src/unit/units.ts';
import type { UnsentUnit } from '../../src/unit/unsent.ts';
import { messageOf } from '../cli/command.ts';
import { printable } from '../cli/text.ts';
import type { NamedUnit } from '../cli/unit-ids.ts';
import type { AskedTotals } from './asked-text.ts';
import { formatStatus, formatUnsent } from './status-text.ts';

/** What is printed for one unit. */
export interface Answer {
  /** For standard output. */
  text?: string;
  /** For standard error: why the status is not known. */
  problem?: string;
  /** Whether the lookup failed; else there is no such unit. */
  isFailure?: boolean;
}

export interface AnswerOptions {
  json: boolean;
  /** Whether only images that are broken are shown, and units that have any. */
  brokenOnly: boolean;
}

type Found<T> = { status: T } | { error: string; problem: string };

/** Returns what is printed for a unit. In JSON there is a line for each unit, unless only broken images are shown. */
export async function answerFor(
  unit: NamedUnit,
  units: Pick<Units, 'status' | 'unsent'>,
  { json, brokenOnly }: AnswerOptions,
): Promise<Answer> {
  const found = await lookUp<UnitStatus | UnsentUnit>(
    unit,
    async (id) => (await units.status(id)) ?? (await units.unsent(id)),
  );
  if ('problem' in found) {
    const { error, problem } = found;
    const isFailure = error === 'internal';
    return { ...(json && { text: JSON.stringify({ id: unit.id, error }) }), problem, isFailure };
  }
  const status = brokenOnly ? onlyBroken(found.status) : found.status;
  if (status.images.length === 0) return {};
  if (json) return { text: JSON.stringify(status) };
  return { text: `${'state' in status ? formatUnsent(status) : formatStatus(status)}\n` };
}

/** The totals stay those of the whole unit. */
function onlyBroken(status: UnitStatus | UnsentUnit): UnitStatus | UnsentUnit {
  return 'state' in status
    ? { ...status, images: status.images.filter(({ state }) => state === 'broken') }
    : { ...status, images: status.images.filter(({ state }) => state === 'broken') };
}

/**
 * Adds what viewers asked for of a unit to the totals; or, without totals, returns it as a line of JSON.
 */
export async function askedAnswerFor(
  unit: NamedUnit,
  units: Pick<Units, 'asked'>,
  totals: AskedTotals | undefined,
): Promise<Answer> {
  const found = await lookUp(unit, (id) => units.asked(id));
  if ('problem' in found) {
    const { error, problem } = found;
    const isFailure = error === 'internal';
    return { ...(!totals && { text: JSON.stringify({ id: unit.id, error }) }), problem, isFailure };
  }
  totals?.add(found.status);
  return totals ? {} : { text: JSON.stringify(found.status) };
}

async function lookUp<T>(unit: NamedUnit, read: (id: string) => Promise<T | undefined>): Promise<Found<T>> {
  if ('problem' in unit) return { error: 'bad_request', problem: unit.problem };
  const { id } = unit;
  try {
    const status = await read(id);
    if (status) return { status };
    return {
      error: 'not_found',
      problem: `${id}: there is no such unit: it was never submitted, or was purged`,
    };
  } catch (error) {
    return { error: 'internal', problem: `${id}: ${printable(messageOf(error))}` };
  }
}
