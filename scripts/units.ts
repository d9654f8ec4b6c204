import { Command, InvalidArgumentError, Option } from 'commander';
import { UNIT_STATES, type UnitState } from '../src/protocol/keys.ts';
import { isUnit } from '../src/protocol/request.ts';
import { isPackCursor } from '../src/unit/list-units.ts';
import { stateText } from './cli/colour.ts';
import { CommandFailure } from './cli/command.ts';
import { addExamples } from './cli/examples.ts';
import { wholeNumber } from './cli/options.ts';
import { printMessage, standardOutput } from './cli/output.ts';
import { formatDuration } from './cli/text.ts';
import { openUnitSession, readEnvironment } from './cli/unit-session.ts';
import { type Listed, listUnits } from './units/list-units.ts';

interface UnitsOptions {
  state?: UnitState;
  /** In seconds. */
  olderThan?: number;
  limit?: number;
  after?: string;
  json?: true;
}

/** `units`: lists units with their state, and since when they are in it. */
export function unitsCommand(): Command {
  const command = new Command('units')
    .description('list units with their state, and since when they are in it')
    .addOption(new Option('--state <state>', 'only units in this state').choices(UNIT_STATES))
    .option(
      '--older-than <time>',
      'only units that have been in their state for longer: 90s, 15m, 6h, 7d',
      parseSeconds,
    )
    .option('--limit <count>', 'list as many at most, and say where the next ones begin', wholeNumber)
    .option('--after <next>', 'with --state: begin behind this unit, or where --limit ended')
    .option('--json', 'print NDJSON, one line per unit: {"id", "since", "state"}')
    .addHelpText('after', '\nUnits are listed state after state: pending, ready, broken, failed.')
    .action(printUnits);
  return addExamples(command, [
    ['edgepress units --state broken', 'units with broken images'],
    ['edgepress units --state pending --older-than 1h', 'what has been waiting for more than an hour'],
    ['edgepress units --state failed --json | jq -r .id | edgepress status -', 'each image of these units'],
  ]);
}

const SECONDS_PER: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

function parseSeconds(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS_PER[unit] ?? Number.NaN);
  if (Number.isNaN(seconds))
    throw new InvalidArgumentError(
      'It must be a number of seconds, minutes, hours or days: 90s, 15m, 6h, 7d.',
    );
  return seconds;
}

async function printUnits({ olderThan, json, ...selection }: UnitsOptions): Promise<void> {
  requireCursor(selection);
  const config = readEnvironment();
  const nowMs = Date.now();
  const beforeMs = olderThan === undefined ? undefined : nowMs - 1000 * olderThan;
  const { units, drain, close } = await openUnitSession(config, printMessage);
  const output = standardOutput();
  try {
    for await (const listed of listUnits(units, { ...selection, beforeMs })) {
      if ('next' in listed) printMessage(moreOf(listed));
      else output.write(json ? JSON.stringify(listed) : toLine(listed, nowMs));
      await output.ready();
      if (output.isClosed()) break;
    }
  } finally {
    await output.close();
    await drain();
    await close();
  }
}

function requireCursor({ after, state }: Pick<UnitsOptions, 'after' | 'state'>): void {
  if (after === undefined) return;
  if (state === undefined) throw new CommandFailure('--after is a place in one state: give --state, too.');
  if (!isUnit(after) && !(state === 'pending' && isPackCursor(after)))
    throw new CommandFailure('--after must be the id of a unit, or what a listing with --limit has printed.');
}

function toLine({ id, state, since }: Exclude<Listed, { next: unknown }>, nowMs: number): string {
  const age = formatDuration(Math.max(0, nowMs - Date.parse(since)) / 1000);
  return `${stateText(state, 7)}  ${age.padStart(12)}  ${id}`;
}

function moreOf({ next: { state, after } }: Extract<Listed, { next: unknown }>): string {
  const from = after === undefined ? '' : ` --after ${after}`;
  return `There may be more: go on with --state ${state}${from}`;
}
