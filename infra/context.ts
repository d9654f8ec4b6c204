import { bare, nearest } from './nearest.ts';
import { OPTION_NAMES } from './option-schema.ts';

const NAME = 'edgepress';
const PREFIX = `${NAME}.`;

/** What a context says of the options, and what is wrong with how it says it. */
export interface OptionsOfContext {
  /** Of the object `edgepress`, and of each `edgepress.NAME`, which wins. Not checked. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Of what is meant for us and would be read by nobody, a line each. */
  readonly faults: readonly string[];
}

/** Finds the options in the context of an app, which has things of others, too. */
export function optionsInContext(context: Readonly<Record<string, unknown>>): OptionsOfContext {
  const { [NAME]: whole = {} } = context;
  const isObject = typeof whole === 'object' && whole !== null && !Array.isArray(whole);
  const single = Object.entries(context)
    .filter(([name]) => name.startsWith(PREFIX) && name !== PREFIX)
    .map(([name, value]) => [name.slice(PREFIX.length), value]);
  return {
    options: { ...(isObject && whole), ...Object.fromEntries(single) },
    faults: [
      ...(isObject ? [] : [`${NAME}: must be an object of options; a single one is ${PREFIX}NAME=VALUE`]),
      ...Object.keys(context).filter(isMisnamed).map(describe),
    ],
  };
}

/** Whether it can only be meant for us: `edgepres.widths`, `Edgepress`, `edgepress:widths`, `widths`. */
function isMisnamed(name: string): boolean {
  if (name === NAME || (name.startsWith(PREFIX) && name !== PREFIX)) return false;
  const [head = ''] = name.split(/[^A-Za-z]/);
  return (
    sameAs(name) !== undefined || head.toLowerCase().startsWith(NAME) || nearest(head, [NAME]) !== undefined
  );
}

function describe(name: string): string {
  const rest = /^[A-Za-z]*[^A-Za-z]+(.+)$/.exec(name)?.[1] ?? name;
  const option = sameAs(name) ?? nearest(rest, OPTION_NAMES);
  const hint = option === undefined ? '' : `: did you mean ${PREFIX}${option}?`;
  return `${name}: options are ${PREFIX}NAME, in just these letters${hint}`;
}

function sameAs(name: string): string | undefined {
  return OPTION_NAMES.find((option) => bare(option) === bare(name));
}
