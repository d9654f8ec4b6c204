import type { Command, Option } from 'commander';

/** Adds an option that has to be given. Unlike commander's own way, a misspelt option is complained of before a missing one. */
export function addRequiredOption(command: Command, option: Option): Command {
  option.description += ' (required)';
  return command.addOption(option).hook('preAction', () => {
    if (command.getOptionValue(option.attributeName()) === undefined)
      command.error(`error: required option '${option.flags}' not specified`);
  });
}
