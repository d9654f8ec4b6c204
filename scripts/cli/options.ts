import { Argument, type Command, InvalidArgumentError, type Option } from 'commander';
import { formatCount } from './text.ts';

/** The name under which the stack is deployed by default. */
const DEFAULT_STACK = 'Edgepress';

/** The optional argument `[stack]`. */
export function stackArgument(): Argument {
  return new Argument('[stack]', 'the name of the stack').default(DEFAULT_STACK);
}

/** Returns a parser for an option that is a number from `min` to `max`, decimals included. It throws InvalidArgumentError. */
export function numberWithin(min: number, max: number): (text: string) => number {
  return parseWithin('a number', /^\d{1,12}(\.\d{1,9})?$/, min, max);
}

/** Returns a parser for an option that is a whole number from `min` to `max`. It throws InvalidArgumentError. */
export function wholeNumberWithin(min: number, max: number): (text: string) => number {
  return parseWithin('a whole number', /^\d{1,12}$/, min, max);
}

/** Parses an option that is a whole number of 1 or more. */
export const wholeNumber = wholeNumberWithin(1, 999_999_999);

/** Parses an option that is a list of whole numbers of 1 or more, separated by commas. */
export function wholeNumbers(text: string): readonly number[] {
  return text.split(',').map((part) => wholeNumber(part.trim()));
}

function parseWithin(kind: string, syntax: RegExp, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = syntax.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be ${kind} from ${formatCount(min)} to ${formatCount(max)}.`);
  };
}

/** Context entries of CDK, by name. */
export type Context = Readonly<Record<string, string>>;

/** Adds an entry of `-c NAME=VALUE`, which may be repeated. It throws InvalidArgumentError. */
export function addContextEntry(text: string, before: Context = {}): Context {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...before, [name]: value };
}

/**
 * Adds an option that must be given. Unlike commander's own required options, this one reports an unknown option, which may be this
 * one misspelt, before a missing one.
 */
export function addRequiredOption(command: Command, option: Option): Command {
  option.description += ' (required)';
  return command.addOption(option).hook('preAction', () => {
    if (command.getOptionValue(option.attributeName()) === undefined)
      command.error(`error: required option '${option.flags}' not specified`);
  });
}
