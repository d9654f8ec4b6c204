import { ALARM_OPTIONS } from './options/alarms.ts';
import { CDN_OPTIONS } from './options/cdn.ts';
import { FARGATE_OPTIONS } from './options/fargate.ts';
import { FUNCTION_OPTIONS } from './options/functions.ts';
import { matching, option, type StackOption, type VariableOption } from './options/option-values.ts';
import { RETENTION_OPTIONS } from './options/retention.ts';
import { VARIABLE_OPTIONS } from './options/variables.ts';

const STACK_NAME = /^[A-Za-z][A-Za-z0-9-]{0,40}$/;

/**
 * Every option of the stack. The types below, validation, defaults, the environment of the functions, and the section "Stack options"
 * of docs/configuration.md follow from this table: after a change, run `npm run docs`. Bounds are those of AWS unless a comment says
 * otherwise.
 */
export const OPTIONS = {
  stackName: option({
    type: matching(STACK_NAME, 'a letter, then up to 40 letters, digits and `-`'),
    default: 'Edgepress',
    doc: 'The name of the stack. One account may have several stacks, but each needs a different name, even in another region: names at CloudFront are unique in the account. `npm run deploy:check` finds a name that is taken.',
  }),
  ...VARIABLE_OPTIONS,
  ...FUNCTION_OPTIONS,
  ...FARGATE_OPTIONS,
  ...RETENTION_OPTIONS,
  ...CDN_OPTIONS,
  ...ALARM_OPTIONS,
};

type Options = typeof OPTIONS;
export type OptionName = keyof Options;
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/**
 * Options as they are set, none of them required: in `cdk.json` in the object `context.edgepress`, or on the command line as
 * `-c edgepress.NAME=VALUE`, which overrides the object. Numbers, flags and lists (comma-separated) may also be given as text.
 */
export type EdgepressOptions = {
  readonly [Name in OptionName]?: Options[Name] extends VariableOption<infer T>
    ? T extends boolean
      ? 'on' | 'off'
      : Settable<T>
    : Options[Name] extends StackOption<infer T>
      ? Settable<NonNullable<T>>
      : never;
};

type Settable<T> = T extends number | boolean | string ? T : string | readonly (string | number)[];

/** The options after validation, with their defaults. One that sets an environment variable is its text. */
export type CheckedOptions = {
  readonly [Name in OptionName]: Options[Name] extends StackOption<infer T> ? T : never;
};
