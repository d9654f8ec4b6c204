import { isUnit, UNIT_RULE } from '../../src/protocol/request.ts';
import { CommandFailure } from './command.ts';
import { type LineInput, openLineInput } from './input.ts';
import { printable } from './text.ts';

/** A unit id from the command line or standard input, or why it is not one. */
export type NamedUnit = { id: string } | { id: string; problem: string };

const NOT_A_UNIT = `is not a unit id: it must be ${UNIT_RULE}`;
/** How many characters of an invalid id are shown. */
const SHOWN_LENGTH = 140;

/**
 * Reads the ids of units from the arguments, or from standard input (`-`), one a line.
 *
 * @param signal - once it aborts, no more lines are read
 * @throws CommandFailure when `-` is not the only argument
 */
export async function readUnitIds(
  args: readonly string[],
  signal: AbortSignal,
): Promise<AsyncIterable<NamedUnit>> {
  if (!args.includes('-')) return fromArguments(args);
  if (args.length > 1)
    throw new CommandFailure('Give unit ids, or - to read them from standard input, not both.');
  return fromLines(await openLineInput(args), signal);
}

async function* fromArguments(args: readonly string[]): AsyncGenerator<NamedUnit, void> {
  for (const id of args) yield isUnit(id) ? { id } : { id, problem: `${printable(id)} ${NOT_A_UNIT}` };
}

async function* fromLines(input: LineInput, signal: AbortSignal): AsyncGenerator<NamedUnit, void> {
  for await (const { read } of input.lines(signal)) {
    if ('problem' in read) {
      yield { id: '', problem: `line ${read.line}: ${read.problem}` };
      continue;
    }
    const id = read.text.trim();
    const shown = printable(id.slice(0, SHOWN_LENGTH));
    yield isUnit(id) ? { id } : { id, problem: `line ${read.line}: ${shown} ${NOT_A_UNIT}` };
  }
}
