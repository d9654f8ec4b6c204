import type { Command } from 'commander';

/** A line for a POSIX shell, and what it does. */
export type Example = readonly [line: string, does: string];

/** Adds examples to the end of a command's help. Tests parse each line of them. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  const lines = examples.map(([line, does]) => `  # ${does}\n  ${line}\n`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('')}`.trimEnd());
}
