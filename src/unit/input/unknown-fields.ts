import { areNear, lettersOf } from '../../near-name.ts';

/** What is wrong with the name of a field that no unit has. */
export interface UnknownField {
  /** The field that was probably meant. */
  meant?: string;
  /**
   * Whether the unit is to be refused: it would be prewarmed otherwise than its sender wants. Not for the singular of a field, such as
   * `width`: in many data sets that is the size of the photograph.
   */
  isMisspelt: boolean;
}

/** Names come from the input: those of a longer one are found again each time. */
const MAX_KNOWN = 1000;

/**
 * Returns a function that tells a misspelt field from a field of the sender's own: a misspelt one has the letters of a field in another
 * case or with other separators, or nearly ({@link areNear}).
 *
 * @param fields - the names that are known
 */
export function createFieldCheck(fields: readonly string[]): (name: string) => UnknownField {
  const known = fields.map((name) => ({ name, letters: lettersOf(name) }));
  const found = new Map<string, UnknownField>();
  const find = (name: string): UnknownField => {
    const letters = lettersOf(name);
    const meant = known.find((field) => areNear(letters, field.letters))?.name;
    if (meant === undefined) return { isMisspelt: false };
    return { meant, isMisspelt: `${letters}s` !== lettersOf(meant) };
  };
  return (name) => {
    const before = found.get(name);
    if (before) return before;
    const field = find(name);
    if (found.size < MAX_KNOWN) found.set(name, field);
    return field;
  };
}
