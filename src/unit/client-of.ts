import { sha256 } from '../hashing.ts';
import { parseUrl } from '../parse-url.ts';
import { CLIENT } from '../queue/queue.ts';

/**
 * Returns whose unit it is, as far as a unit tells: its group, or else the host (with its port) or bucket of its first image. A name that
 * is too long or has other characters is hashed.
 *
 * @returns what matches `CLIENT`; `undefined` when there is neither
 */
export function clientOf(unit: {
  group?: string | undefined;
  images: readonly { src: string }[];
}): string | undefined {
  const name = unit.group ?? hostOf(unit.images[0]?.src);
  return name === undefined || CLIENT.test(name) ? name : sha256(name);
}

function hostOf(src: string | undefined): string | undefined {
  return (src !== undefined && parseUrl(src)?.host) || undefined;
}
