import { formatCount } from '../cli/text.ts';

/** How many tags a text shows. */
export const SHOWN_TAGS = 5;

/**
 * Returns the first few cache tags, and how many more there are.
 *
 * @param total - how many there are, if not all of them are given. Those that are shown are enough
 */
export function formatTags(tags: readonly string[], total = tags.length): string {
  const more = total - SHOWN_TAGS;
  const shown = tags.slice(0, SHOWN_TAGS).join(', ');
  return more > 0 ? `${shown} and ${formatCount(more)} more (--json has all)` : shown;
}
