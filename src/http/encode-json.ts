import { createTurns } from '../turns.ts';

/** Of a list at a stretch: an image of a unit may have dozens of variants with long URLs. */
const SLICE_ITEMS = 25;

/**
 * Returns the JSON of an object, with a line break at its end. The lists that are its own members are written piece by piece, with turns for
 * others: those of a unit's images, or of refused lines, may be ten thousand long.
 */
export async function encodeJson(value: object): Promise<Buffer<ArrayBuffer>> {
  const turns = createTurns();
  const pieces: Buffer[] = [];
  for (const text of piecesOf(value)) {
    pieces.push(Buffer.from(text));
    const turn = turns.give();
    if (turn) await turn;
  }
  return Buffer.concat(pieces);
}

function* piecesOf(value: object): Generator<string, void> {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  let before = '{';
  for (const [name, member] of members) {
    yield `${before}${JSON.stringify(name)}:`;
    if (Array.isArray(member)) yield* piecesOfList(member);
    else yield JSON.stringify(member);
    before = ',';
  }
  yield members.length === 0 ? '{}\n' : '}\n';
}

function* piecesOfList(list: readonly unknown[]): Generator<string, void> {
  yield '[';
  for (let start = 0; start < list.length; start += SLICE_ITEMS) {
    const slice = JSON.stringify(list.slice(start, start + SLICE_ITEMS));
    yield `${start === 0 ? '' : ','}${slice.slice(1, -1)}`;
  }
  yield ']';
}
