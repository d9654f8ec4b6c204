import { closestMatch } from 'leven';
import { type CheckedOptions, OPTION_NAMES, OPTIONS, type OptionName } from './options.ts';

const NAME = 'edgepress';
const PREFIX = `${NAME}.`;

export interface ContextOptions {
  /** The options as they were given, not validated: those of the object `edgepress`, overridden by each `edgepress.NAME`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Context entries that are meant as options but would be ignored, a line each. */
  readonly faults: readonly string[];
}

/** Reads the stack's options from the context of a CDK app, which has entries of others, too. */
export function readContext(context: Readonly<Record<string, unknown>>): ContextOptions {
  const { [NAME]: object = {} } = context;
  const isObject = typeof object === 'object' && object !== null && !Array.isArray(object);
  const single = Object.entries(context)
    .filter(([key]) => isSingleOption(key))
    .map(([key, value]) => [key.slice(PREFIX.length), value]);
  return {
    options: { ...(isObject && object), ...Object.fromEntries(single) },
    faults: [
      ...(isObject ? [] : [`${NAME}: must be an object of options; a single one is ${PREFIX}NAME=VALUE`]),
      ...Object.keys(context).filter(isMisspelled).map(misspellingFault),
    ],
  };
}

function isSingleOption(key: string): boolean {
  return key.startsWith(PREFIX) && key !== PREFIX;
}

/** Whether the key can only be a misspelled option: `edgepres.widths`, `Edgepress`, `edgepress:widths`, `widths`. */
function isMisspelled(key: string): boolean {
  if (key === NAME || isSingleOption(key)) return false;
  const [firstWord = ''] = key.split(/[^A-Za-z]/);
  return (
    optionWithLetters(key) !== undefined ||
    firstWord.toLowerCase().startsWith(NAME) ||
    similarName(firstWord, [NAME]) !== undefined
  );
}

function misspellingFault(key: string): string {
  const rest = /^[A-Za-z]*[^A-Za-z]+(.+)$/.exec(key)?.[1] ?? key;
  const option = optionWithLetters(key) ?? similarName(rest, OPTION_NAMES);
  const hint = option === undefined ? '' : `: did you mean ${PREFIX}${option}?`;
  return `${key}: an option is written ${PREFIX}NAME, with exactly these letters${hint}`;
}

function optionWithLetters(key: string): string | undefined {
  return OPTION_NAMES.find((option) => lettersOf(option) === lettersOf(key));
}

/**
 * Validates each option by itself.
 *
 * @returns the valid options with all defaults; the faults, a line each; and the names of the invalid options, which count as unset
 */
export function validateEach(options: object): {
  checked: CheckedOptions;
  faults: string[];
  invalid: string[];
} {
  const read = new Map<string, unknown>();
  const faults = new Map<string, string>();
  for (const [name, value] of Object.entries(options).filter(([, value]) => value !== undefined)) {
    try {
      read.set(name, readOption(name, value));
    } catch (error) {
      faults.set(name, `${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const entries = OPTION_NAMES.map((name) => [name, read.has(name) ? read.get(name) : defaultOf(name)]);
  return {
    // The table is what both the type and the entries follow from.
    checked: Object.fromEntries(entries) as CheckedOptions,
    faults: [...faults.values()],
    invalid: [...faults.keys()],
  };
}

/** @throws Error that says what is wrong, as the end of a sentence whose subject is the option */
function readOption(name: string, value: unknown): unknown {
  const option = OPTION_NAMES.find((known) => known === name);
  if (option === undefined) {
    const similar = similarName(name, OPTION_NAMES);
    const hint = similar === undefined ? '.' : `: did you mean ${similar}?`;
    throw new Error(`there is no such option${hint} All are in docs/configuration.md`);
  }
  const text = textOf(value);
  if (text === undefined) throw new Error('must be text, a number, true, false, or a list');
  // The functions treat an empty variable as unset, but an option that is set to nothing is a mistake.
  if (text === '') throw new Error('is empty: leave it out instead');
  return OPTIONS[option].type.parse(text);
}

/** Returns a value as it would be given on the command line; `undefined` for one that cannot be. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  const isList = Array.isArray(value) && value.every((item) => ['string', 'number'].includes(typeof item));
  return isList ? value.join(',') : undefined;
}

function defaultOf(name: OptionName): unknown {
  const { type, default: unset } = OPTIONS[name];
  return typeof unset === 'string' ? type.parse(unset) : unset.value;
}

/**
 * Returns the name that was probably meant by one that does not exist: written in another way (`SOURCE_ALLOW`), or with a few letters
 * wrong. `undefined` where none is similar.
 */
function similarName(name: string, names: readonly string[]): string | undefined {
  const maxDistance = Math.max(2, Math.floor(name.length / 3));
  const match = closestMatch(lettersOf(name), names.map(lettersOf), { maxDistance });
  return names.find((candidate) => lettersOf(candidate) === match);
}

/** Returns the letters and digits of a name in lower case. */
function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
