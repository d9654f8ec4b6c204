import type { Config } from '../../src/config.ts';
import { type ValueType, valueType } from '../../src/config-values.ts';
import type { Variable } from '../../src/config-variables.ts';

/** One option of the stack: like an environment variable (`Variable`), it is read from text. */
export interface StackOption<T> {
  readonly type: ValueType<T>;
  /** What an unset option means: the text that would set the same, or a value with words for it in the documentation. */
  readonly default: string | { readonly value: T; readonly words: string };
  /** For docs/configuration.md, in Markdown. The allowed values and the default have columns of their own there. */
  readonly doc: string;
}

/** An option that sets an environment variable of the functions and the commands. Its value is the variable's text. */
export interface VariableOption<T> extends StackOption<string | undefined> {
  readonly variable: Variable<T>;
  /** Returns the variable's text for a configuration; `undefined` leaves it out. `given` is the option's own text. */
  readonly format: (config: Config, given: string | undefined) => string | undefined;
}

/** Lets the compiler infer the type of the value. */
export function option<T>(option: StackOption<T>): StackOption<T> {
  return option;
}

/**
 * Makes an option from a variable, with its meaning, bounds and default.
 *
 * @param note - what there is to say on AWS beside the meaning of the variable, in Markdown
 */
export function variable<T>(
  variable: Variable<T>,
  format: VariableOption<T>['format'],
  note?: string,
): VariableOption<T> {
  const parse = (text: string) => {
    variable.type.parse(text);
    return text;
  };
  const words = typeof variable.default === 'string' ? `\`${variable.default}\`` : variable.default.words;
  return {
    type: { allowed: variable.type.allowed, parse },
    default: { value: undefined, words },
    doc: [`\`${variable.name}\`. ${variable.doc}`, ...(note === undefined ? [] : [note])].join(' '),
    variable,
    format,
  };
}

/** `true` or `false`. */
export const flag = valueType('`true` or `false`', (text) =>
  text === 'true' ? true : text === 'false' ? false : undefined,
);

/** Text of a certain form, which `allowed` describes in Markdown. */
export function matching(form: RegExp, allowed: string): ValueType<string> {
  return valueType(allowed, (text) => (form.test(text) ? text : undefined));
}

/** One of these numbers. */
export function numberAmong(numbers: readonly number[]): ValueType<number> {
  return valueType(`one of ${numbers.join(', ')}`, (text) =>
    /^\d{1,10}$/.test(text) ? numbers.find((number) => number === Number(text)) : undefined,
  );
}

/** The default of an option that is left out. */
export const NONE = { value: undefined, words: 'none' };
