import type { Command } from 'commander';

/** A line for a POSIX shell, and what it does. */
export type Example = readonly [line: string, does: string];

/** Adds examples to the end of a command's help. Tests parse each line of them. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  return command.addHelpText('after', examplesText(examples));
}

/** The same as text for `addHelpText`. */
export function examplesText(examples: readonly Example[]): string {
  const lines = examples.map(([line, does]) => `  # ${does}\n  ${line}\n`);
  return `\nExamples:\n${lines.join('')}`.trimEnd();
}
