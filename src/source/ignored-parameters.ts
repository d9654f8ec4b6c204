import type { IgnoredParameters } from '../protocol/source-identity.ts';
import { parseJsonObject } from './source-headers.ts';

const HOST = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const NAME = /^[^&=#*\s]*\*?$/;

/**
 * Parses the value of `SOURCE_IGNORED_PARAMETERS`.
 *
 * @throws Error with a message for the configuration error
 */
export function parseIgnoredParameters(text: string): readonly IgnoredParameters[] {
  const value = parseJsonObject(text, 'must be a JSON object from hosts to lists of names');
  return Object.entries(value).map(([name, names]) => {
    const host = name.toLowerCase();
    if (!HOST.test(host))
      throw new Error(
        `"${name}": expected a host such as images.example.com or *.example.com, without a port`,
      );
    if (!Array.isArray(names) || names.length === 0 || !names.every(isName))
      throw new Error(`"${name}": expected a list of names as they are in URLs, with a * at the end or none`);
    return { host, names };
  });
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && NAME.test(name);
}
