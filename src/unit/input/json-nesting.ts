/** Deeper than any data set that people made: what is deeper was made to waste memory. */
export const MAX_NESTING = 64;

const OPENING = /[[{]/g;

/**
 * Returns whether a text of JSON may be nested deeper than {@link MAX_NESTING}, before it is parsed. Brackets within texts count, too: a
 * unit has few of them.
 */
export function isNestedTooDeep(text: string): boolean {
  if (text.length <= MAX_NESTING) return false;
  let opened = 0;
  OPENING.lastIndex = 0;
  while (opened <= MAX_NESTING && OPENING.test(text)) opened++;
  return opened > MAX_NESTING && deepestNesting(text) > MAX_NESTING;
}

/** Returns how deep brackets are nested outside of texts, up to a little more than the maximum. */
function deepestNesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length && deepest <= MAX_NESTING; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth--;
  }
  return deepest;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
