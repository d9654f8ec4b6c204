import type { Argument, Command, Option } from 'commander';

/** What may follow a word of the command line. */
export interface Values {
  /** The only ones that are allowed, if there are any. */
  choices: readonly string[];
  /** Whether it is a file or a folder. */
  isFile: boolean;
}

export interface CompletedOption {
  /** `--state`, and `-c` if it has a short form. */
  flags: readonly string[];
  description: string;
  /** Of what stands behind it; `undefined` if nothing does. */
  values?: Values;
}

/** A command of the command line, as completion needs it. */
export interface CompletedCommand {
  /** The words that lead to it, without the name of the program: `keys list`. Empty for the program itself. */
  path: string;
  subcommands: readonly { name: string; description: string }[];
  options: readonly CompletedOption[];
  /** Of its arguments. */
  values: Values;
}

/** Returns a program and all commands below it. */
export function commandTree(command: Command, path: readonly string[] = []): CompletedCommand[] {
  const help = command.createHelp();
  const below = command.commands.flatMap((one) => commandTree(one, [...path, one.name()]));
  const self: CompletedCommand = {
    path: path.join(' '),
    subcommands: help
      .visibleCommands(command)
      .map((one) => ({ name: one.name(), description: one.description() })),
    options: help.visibleOptions(command).map(toOption),
    values: {
      choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      isFile: command.registeredArguments.some(isFile),
    },
  };
  return [self, ...below];
}

function toOption(option: Option): CompletedOption {
  const { long, short, description, argChoices, required, optional } = option;
  const flags = [long, short].filter((flag) => flag !== undefined && flag !== null);
  if (!required && !optional) return { flags, description };
  return {
    flags,
    description,
    values: { choices: argChoices ?? [], isFile: /<(file|folder)>/.test(option.flags) },
  };
}

function isFile(argument: Argument): boolean {
  return ['file', 'folder'].includes(argument.name());
}
