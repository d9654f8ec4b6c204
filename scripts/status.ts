import { Command } from 'commander';
import type { Units } from '../src/unit/units.ts';
import { messageOf } from './cli/command.ts';
import { mapInOrder } from './cli/concurrency.ts';
import { printMessage, standardOutput } from './cli/output.ts';
import { printable } from './cli/text.ts';
import { type NamedUnit, readUnitIds } from './cli/unit-ids.ts';
import { openUnitSession, readEnvironment } from './cli/unit-session.ts';
import { formatStatus } from './status/status-text.ts';

/** What is printed for one unit. */
interface Answer {
  /** For standard output. */
  text?: string;
  /** For standard error: why the status is not known. */
  problem?: string;
}

/** Many, because a lookup over a network is mostly waiting. */
const MAX_CONCURRENT_LOOKUPS = 16;

/** `status`: prints whether each image of a unit is ready, pending or broken. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show whether each image of a unit is ready, pending or broken, and why')
    .argument('<unit...>', 'unit ids; - reads them from standard input, one per line')
    .option('--json', 'print NDJSON, one line per unit: the response of GET /units/{id}')
    .addHelpText(
      'after',
      '\nExit status: 1 when a unit is not known or could not be looked up; all others are printed.',
    )
    .action(printStatus);
}

async function printStatus(args: readonly string[], { json = false }: { json?: boolean }): Promise<void> {
  const config = readEnvironment();
  const stop = new AbortController();
  const ids = await readUnitIds(args, stop.signal);
  const { units, drain, close } = await openUnitSession(config, printMessage);
  const output = standardOutput();
  const answers = mapInOrder(ids, MAX_CONCURRENT_LOOKUPS, (unit) =>
    json ? answerInJson(unit, units) : answerInText(unit, units),
  );
  try {
    for await (const { text, problem } of answers) {
      if (text !== undefined) output.write(text);
      if (problem !== undefined) {
        printMessage(problem);
        process.exitCode = 1;
      }
      await output.ready();
      if (output.isClosed()) break;
    }
  } finally {
    stop.abort();
    await output.close();
    await drain();
    await close();
  }
}

async function answerInText(unit: NamedUnit, units: Pick<Units, 'status'>): Promise<Answer> {
  const found = await lookUp(unit, units);
  return 'problem' in found ? { problem: found.problem } : { text: `${formatStatus(found.status)}\n` };
}

/** Always has a line for standard output, so that there is one for each unit. */
async function answerInJson(unit: NamedUnit, units: Pick<Units, 'status'>): Promise<Answer> {
  const found = await lookUp(unit, units);
  if (!('problem' in found)) return { text: JSON.stringify(found.status) };
  const { error, problem } = found;
  return { text: JSON.stringify({ id: unit.id, error }), problem };
}

async function lookUp(unit: NamedUnit, units: Pick<Units, 'status'>) {
  if ('problem' in unit) return { error: 'bad_request', problem: unit.problem };
  const { id } = unit;
  try {
    const status = await units.status(id);
    return status
      ? { status }
      : {
          error: 'not_found',
          problem: `${id}: there is no such unit: it was never submitted, or was purged`,
        };
  } catch (error) {
    return { error: 'internal', problem: `${id}: ${printable(messageOf(error))}` };
  }
}
