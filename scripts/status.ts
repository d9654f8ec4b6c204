import { Command } from 'commander';
import type { Units } from '../src/unit/units.ts';
import { printable } from './command/amounts.ts';
import { inOrder } from './command/at-once.ts';
import { readEnvironment } from './command/environment.ts';
import { standardOutput } from './command/line-output.ts';
import { type NamedUnit, readUnitIds } from './command/unit-ids.ts';
import { openUnitSession } from './command/unit-session.ts';
import { describeStatus } from './status-text.ts';

/** What there is to say of a unit that was asked for. */
interface Answer {
  /** A line, or a text of some lines. */
  out?: string;
  /** Why there is nothing else to say. */
  complaint?: string;
}

/** Units looked up at once: over a network, one waits much longer than it works. */
const UNITS_AT_ONCE = 16;

/** `status`: says of each image of a unit whether it is ready, pending or broken. */
export function statusCommand(): Command {
  return new Command('status')
    .description('say of each image of a unit whether it is ready, pending or broken, and why')
    .argument('<unit...>', 'the ids; - reads them from standard input, one a line')
    .option('--json', 'print NDJSON, a line a unit: what GET /units/{id} answers')
    .addHelpText(
      'after',
      '\nEnds with 1 when a unit is not known, or could not be looked up; all others are printed.',
    )
    .action(status);
}

async function status(names: readonly string[], { json = false }: { json?: boolean }): Promise<void> {
  const config = readEnvironment();
  const stop = new AbortController();
  const ids = await readUnitIds(names, stop.signal);
  const complain = (text: string) => void process.stderr.write(`${text}\n`);
  const { units, finish, close } = await openUnitSession(config, complain);
  const output = standardOutput();
  const answers = inOrder(ids, UNITS_AT_ONCE, (unit) =>
    json ? answerInJson(unit, units) : answer(unit, units),
  );
  try {
    for await (const { out, complaint } of answers) {
      if (out !== undefined) output.write(out);
      if (complaint !== undefined) {
        complain(complaint);
        process.exitCode = 1;
      }
      await output.room();
      if (output.isClosed()) break;
    }
  } finally {
    stop.abort();
    await finish();
    await close();
  }
}

async function answer(unit: NamedUnit, units: Pick<Units, 'status'>): Promise<Answer> {
  const found = await find(unit, units);
  return 'complaint' in found ? { complaint: found.complaint } : { out: `${describeStatus(found.status)}\n` };
}

/** A line for each unit, whatever there is to say of it. */
async function answerInJson(unit: NamedUnit, units: Pick<Units, 'status'>): Promise<Answer> {
  const found = await find(unit, units);
  if (!('complaint' in found)) return { out: JSON.stringify(found.status) };
  const { error, complaint } = found;
  return { out: JSON.stringify({ id: unit.id, error }), complaint };
}

async function find(unit: NamedUnit, units: Pick<Units, 'status'>) {
  if ('complaint' in unit) return { error: 'bad_request', complaint: unit.complaint };
  const { id } = unit;
  try {
    const status = await units.status(id);
    return status
      ? { status }
      : { error: 'not_found', complaint: `${id}: there is no such unit: it was never sent, or was purged` };
  } catch (error) {
    return {
      error: 'internal',
      complaint: `${id}: ${printable(error instanceof Error ? error.message : String(error))}`,
    };
  }
}
