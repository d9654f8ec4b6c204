import { CommandFailure, messageOf } from '../../cli/command.ts';

/** Where an object belongs. */
export interface KeyMatch {
  /** The id of its unit. */
  id: string;
  /** The name of the image; if it is that of another image of the unit, the key is its name. */
  name: string;
  group?: string;
}

/** Returns the unit of a key; `undefined` if the key does not match. */
export type UnitOfKey = (key: string) => KeyMatch | undefined;

/** The folder that an object is in. */
export const UNIT_OF_FOLDER = '(?:^|/)(?<id>[^/]+)/[^/]+$';

/**
 * @param pattern - a regular expression of JavaScript with a group named `id`, and perhaps `name` and `group`. Without `name`, the
 *   name is what follows the id in the key
 * @throws CommandFailure if it is none
 */
export function createUnitOfKey(pattern: string): UnitOfKey {
  const expression = compile(pattern);
  return (key) => {
    const { groups, indices } = expression.exec(key) ?? {};
    const id = groups?.['id'];
    if (id === undefined || id === '') return undefined;
    const afterId = key.slice(indices?.groups?.['id']?.[1]).replace(/^\//, '');
    const group = groups?.['group'];
    return { id, name: groups?.['name'] || afterId || key, ...(group && { group }) };
  };
}

function compile(pattern: string): RegExp {
  const example = "such as '^clients/(?<id>[^/]+)/'";
  try {
    const expression = new RegExp(pattern, 'du');
    if (/\(\?<id>/.test(pattern)) return expression;
  } catch (error) {
    throw new CommandFailure(`--unit-of: ${messageOf(error)}`);
  }
  throw new CommandFailure(`--unit-of has no group named id, ${example}`);
}
