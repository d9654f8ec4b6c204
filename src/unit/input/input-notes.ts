/**
 * What is said of an input although its units were taken: fields that are ignored, images that are empty, ids that were sent twice.
 * Each is said once, with how often it was found, and bounded however many there are.
 */
export interface InputNotes {
  /**
   * @param text - what was found, without a period: alike ones are counted together
   * @param line - where it was found
   * @param example - the unit, or what else tells one from the others; the first few are said
   */
  add(text: string, line: number, example?: string): void;
  /** Returns each note as a sentence without a period, in the order in which they were found. */
  list(): string[];
}

/** Further kinds of notes are not said: names come from the input, and each may be another. */
const MAX_TEXTS = 100;
const MAX_EXAMPLES = 3;

interface Note {
  times: number;
  line: number;
  examples: string[];
}

export function createInputNotes(): InputNotes {
  const notes = new Map<string, Note>();
  let untold = 0;
  return {
    add(text, line, example) {
      let note = notes.get(text);
      if (!note) {
        if (notes.size === MAX_TEXTS) return void untold++;
        note = { times: 0, line, examples: [] };
        notes.set(text, note);
      }
      note.times++;
      if (example !== undefined && note.examples.length < MAX_EXAMPLES) note.examples.push(example);
    },
    list() {
      const texts = [...notes].map(([text, note]) => `${text} (${whereFound(note)})`);
      return untold > 0 ? [...texts, `${untold} more of the kind, which are not listed`] : texts;
    },
  };
}

function whereFound({ times, line, examples }: Note): string {
  const names = examples.map((example) => `\`${example}\``).join(', ');
  const where = times === 1 ? `line ${line}` : `${times} times, first in line ${line}`;
  return names === '' ? where : `${where}: ${names}${times > examples.length ? ', …' : ''}`;
}
