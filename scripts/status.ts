import { Command, Option } from 'commander';
import { UNIT_STATES, type UnitState } from '../src/protocol/keys.ts';
import type { Units } from '../src/unit/units.ts';
import { CommandFailure } from './cli/command.ts';
import { mapInOrder } from './cli/concurrency.ts';
import { addExamples } from './cli/examples.ts';
import { type LineOutput, printMessage, standardOutput } from './cli/output.ts';
import { readUnitIds } from './cli/unit-ids.ts';
import { openUnitSession, readEnvironment } from './cli/unit-session.ts';
import { type Answer, type AnswerOptions, answerFor, askedAnswerFor } from './status/answers.ts';
import { type AskedTotals, createAskedTotals } from './status/asked-text.ts';
import { rebuildMarks } from './status/rebuild-marks.ts';
import { listUnits } from './units/list-units.ts';

interface StatusOptions {
  json?: true;
  asked?: true;
  broken?: true;
  state?: UnitState;
  rebuildMarks?: true;
}

/** Many, because a lookup over a network is mostly waiting. */
const MAX_CONCURRENT_LOOKUPS = 16;

/** `status`: prints whether each image of a unit is ready, pending or broken, or which units are in a state. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('show whether each image of a unit is ready, pending or broken, and why')
    .argument('[unit...]', 'unit ids; - reads them from standard input, one per line')
    .option('--json', 'print NDJSON, one line per unit: the response of GET /units/{id}')
    .option(
      '--asked',
      'show which variants viewers asked for against what prewarm makes, of all units together',
    )
    .option('--broken', 'show only images that are broken, and units that have any')
    .addOption(
      new Option('--state <state>', 'list the ids of all units that are in this state').choices(UNIT_STATES),
    )
    .option(
      '--rebuild-marks',
      'put the units that only earlier versions have worked on into the lists of --state, once',
    )
    .addHelpText(
      'after',
      '\nExit status: 2 when a unit is not known, 1 when one could not be looked up; all others are printed.',
    )
    .action(printStatus);
  return addExamples(command, [
    ['edgepress status unit-1 unit-2', 'the images of two units'],
    ['edgepress status --state broken | edgepress status - --broken', 'why images are broken, of all units'],
    ['edgepress status unit-1 --json | jq .totals', 'for another program'],
  ]);
}

async function printStatus(args: readonly string[], options: StatusOptions): Promise<void> {
  const { json = false, asked = false, broken = false, state, rebuildMarks: rebuilds = false } = options;
  if (rebuilds) {
    if (args.length > 0 || asked || broken || state || json)
      throw new CommandFailure('--rebuild-marks is about all units: leave ids and other options out.');
    return await rebuildMarks(readEnvironment());
  }
  if (args.length > 0 === (state !== undefined))
    throw new CommandFailure('Give the ids of units, or - to read them, or --state to list units.');
  if (asked && (broken || state))
    throw new CommandFailure('--asked is about units that are named: leave --broken and --state out.');
  const config = readEnvironment();
  const stop = new AbortController();
  const { units, drain, close } = await openUnitSession(config, printMessage);
  const output = standardOutput();
  try {
    const answers = state
      ? listAnswers(units, state, json)
      : asked
        ? await askedAnswers(args, units, json, stop.signal)
        : await unitAnswers(args, units, { json, brokenOnly: broken }, stop.signal);
    await printAnswers(answers, output);
  } finally {
    stop.abort();
    await output.close();
    await drain();
    await close();
  }
}

async function unitAnswers(
  args: readonly string[],
  units: Units,
  options: AnswerOptions,
  signal: AbortSignal,
): Promise<AsyncIterable<Answer>> {
  const ids = await readUnitIds(args, signal);
  return mapInOrder(ids, MAX_CONCURRENT_LOOKUPS, (unit) => answerFor(unit, units, options));
}

/** In JSON a line for each unit, else a table of all of them. */
async function askedAnswers(
  args: readonly string[],
  units: Units,
  json: boolean,
  signal: AbortSignal,
): Promise<AsyncIterable<Answer>> {
  const ids = await readUnitIds(args, signal);
  const totals = json ? undefined : createAskedTotals();
  const answers = mapInOrder(ids, MAX_CONCURRENT_LOOKUPS, (unit) => askedAnswerFor(unit, units, totals));
  return totals ? withTotals(answers, totals) : answers;
}

async function* withTotals(
  answers: AsyncIterable<Answer>,
  totals: AskedTotals,
): AsyncGenerator<Answer, void> {
  yield* answers;
  const text = totals.text();
  if (text !== undefined) yield { text };
}

/** Ids alone, so that another command can read them; in JSON with the time since when. */
async function* listAnswers(units: Units, state: UnitState, json: boolean): AsyncGenerator<Answer, void> {
  for await (const listed of listUnits(units, { state }))
    if ('id' in listed) yield { text: json ? JSON.stringify(listed) : listed.id };
}

async function printAnswers(
  answers: AsyncIterable<Answer>,
  output: LineOutput & { isClosed(): boolean },
): Promise<void> {
  for await (const { text, problem, isFailure } of answers) {
    if (text !== undefined) output.write(text);
    if (problem !== undefined) {
      printMessage(problem);
      if (process.exitCode !== 1) process.exitCode = isFailure ? 1 : 2;
    }
    await output.ready();
    if (output.isClosed()) break;
  }
}
