import { isUnit } from '../../src/protocol/request.ts';
import { printable } from './amounts.ts';
import { CommandFailure } from './command-failure.ts';
import { type LineInput, openLineInput } from './line-input.ts';

/** Which unit the user means, or what is wrong with what they wrote. */
export type NamedUnit = { id: string } | { id: string; complaint: string };

const NO_UNIT = 'is no unit: it must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..';
/** How much is shown of what is no unit. */
const SHOWN_LENGTH = 140;

/**
 * Reads which units the user means: arguments, or `-` for standard input, one a line.
 *
 * @param signal - once it is aborted, no more is read
 * @throws CommandFailure when these do not go together
 */
export async function readUnitIds(
  names: readonly string[],
  signal: AbortSignal,
): Promise<AsyncIterable<NamedUnit>> {
  if (!names.includes('-')) return fromArguments(names);
  if (names.length > 1)
    throw new CommandFailure('Name units, or give - to read them from standard input: not both.');
  return fromLines(await openLineInput(names), signal);
}

async function* fromArguments(names: readonly string[]): AsyncGenerator<NamedUnit, void> {
  for (const id of names) yield isUnit(id) ? { id } : { id, complaint: `${printable(id)} ${NO_UNIT}` };
}

async function* fromLines(input: LineInput, signal: AbortSignal): AsyncGenerator<NamedUnit, void> {
  for await (const { read } of input.lines(signal)) {
    if ('complaint' in read) {
      yield { id: '', complaint: `line ${read.line}: ${read.complaint}` };
      continue;
    }
    const id = read.text.trim();
    const shown = printable(id.slice(0, SHOWN_LENGTH));
    yield isUnit(id) ? { id } : { id, complaint: `line ${read.line}: ${shown} ${NO_UNIT}` };
  }
}
