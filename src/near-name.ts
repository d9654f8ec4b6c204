import leven from 'leven';

/** From this length on, a name may have two wrong letters. */
const LONG_NAME = 8;
/** No name of ours has so many: longer ones are near to none. */
const MAX_LETTERS = 40;

/** Returns the letters and digits of a name in lower case, without what separates its words: at most 40. */
export function lettersOf(name: string): string {
  return name
    .slice(0, MAX_LETTERS)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/**
 * Whether somebody who wrote the one name is likely to have meant the other: it differs in no letter, in one, or in two that are exchanged;
 * a long name in any two. Names of less than four letters have to be equal, since they are near to many.
 *
 * @param letters - as {@link lettersOf} returns them
 * @param known - the letters of the name that exists
 */
export function areNear(letters: string, known: string): boolean {
  if (letters === known) return true;
  if (known.length < 4 || Math.abs(letters.length - known.length) > 2) return false;
  const distance = leven(letters, known);
  return (
    distance === 1 || (distance === 2 && (known.length >= LONG_NAME || sorted(letters) === sorted(known)))
  );
}

function sorted(letters: string): string {
  return [...letters].sort().join('');
}
