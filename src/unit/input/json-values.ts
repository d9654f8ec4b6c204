import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLineBuffer } from '../read-lines.ts';
import { idIn } from './id-in-text.ts';
import { MAX_NESTING } from './json-nesting.ts';

/** A JSON value of an input that is not one value a line. */
export type JsonValue = {
  /** The line on which it begins, counted from 1. */
  line: number;
  /** In an array: which entry it is, counted from 1. */
  item?: number;
  /** The bytes of the input up to its end, and from the end of the value before. */
  bytes: number;
} & ({ text: string } | Problem);

interface Problem {
  problem: string;
  /** The id of the unit, as far as it can be told. */
  id?: string | undefined;
}

const MAX_VALUE_BYTES = 2 ** 20;
/** How many bytes are read at a stretch: about a millisecond. */
const STRETCH_BYTES = 2 ** 14;

/** In how much of a damaged value its id is looked for. */
const ID_BYTES = 2000;

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

// Not a parser of JSON: packages that parse it as a stream take ten times as long as JSON.parse, and end at the first error. This only
// finds where values end, and where the next one begins after a damaged one.

/**
 * Reads the entries of a JSON array, or objects one after the other, which may go over many lines. Keeps at most one value in memory.
 *
 * A value that is damaged costs no other one: a text with a line break, or an object in which another begins where a key or a comma has to
 * be, ends there. Only in a list that is not closed are up to {@link MAX_VALUE_BYTES} lost.
 */
export async function* readJsonValues(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonValue[], void> {
  const scanner = createScanner();
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.byteLength; start += STRETCH_BYTES) {
      if (start > 0) await nextTurn();
      yield scanner.scan(chunk.subarray(start, start + STRETCH_BYTES));
    }
  }
  yield scanner.end();
}

/**
 * Where the scanner is: between values; in an object or a list; in a text; in a number or a word, which is no unit; or after a damaged
 * value, of which there may be more until a line begins with a brace.
 */
type Place = 'between' | 'container' | 'text' | 'scalar' | 'lost';

function createScanner() {
  const content = createLineBuffer(MAX_VALUE_BYTES);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  /** Of each container around the place: whether it is an object. The outer array is not among them. */
  const isObject = new Uint8Array(MAX_NESTING + 1);
  let values: JsonValue[] = [];
  let place: Place = 'between';
  let [line, depth, items, isInArray, isTooDeep] = [1, 0, 0, false, false];
  /** The last byte that is neither a space nor in a text. */
  let previous = 0;
  let [isEscaped, isLineStart] = [false, true];
  let chunk: Uint8Array = new Uint8Array(0);
  /** Where the value begins in the chunk, its line, and where the one before has ended, seen from the chunk. */
  let [start, startLine, endedAt] = [0, 1, 0];
  let isFirst = true;

  function begin(at: number, next: Place): void {
    [place, start, startLine, isTooDeep, previous] = [next, at, line, false, 0];
    isFirst = false;
  }

  function keep(end: number): void {
    content.add(chunk.subarray(start, end));
  }

  /** Ends the value before the byte at `end`. */
  function finish(end: number, problem?: string): void {
    keep(end);
    const found = problem ?? (isTooDeep ? `it is nested deeper than ${MAX_NESTING}` : undefined);
    const bytes = end - endedAt;
    endedAt = end;
    const at = { line: startLine, ...(isInArray && { item: ++items }), bytes };
    values.push({ ...at, ...read(content.take(), found) });
    [depth, place] = [0, 'between'];
  }

  function read(bytes: Uint8Array | undefined, problem: string | undefined): { text: string } | Problem {
    if (!bytes) return { problem: `it is longer than ${MAX_VALUE_BYTES} bytes` };
    if (problem !== undefined)
      return { problem, id: idIn(new TextDecoder().decode(bytes.subarray(0, ID_BYTES))) };
    try {
      return { text: decoder.decode(bytes) };
    } catch {
      return { problem: 'it is not UTF-8' };
    }
  }

  function onBetween(byte: number, at: number): void {
    if (byte === OPEN_OBJECT || (byte === OPEN_LIST && !isFirst)) {
      begin(at, 'container');
      open(byte);
    } else if (byte === OPEN_LIST) {
      [isInArray, isFirst] = [true, false];
    } else if (byte === CLOSE_LIST && isInArray) {
      isInArray = false;
    } else if (byte > SPACE && byte !== COMMA) {
      begin(at, byte === QUOTE ? 'text' : 'scalar');
    }
  }

  function onScalar(byte: number, at: number): void {
    if (byte === QUOTE) place = 'text';
    else if (byte === LINE_FEED || byte === COMMA || byte === CLOSE_LIST || byte === OPEN_OBJECT) {
      finish(at);
      onBetween(byte, at);
    }
  }

  /** Returns the place of the next byte that may end a text, or changes what the next one means. */
  function withinText(next: Uint8Array, start: number): number {
    let at = start;
    for (; at < next.byteLength; at++) {
      const byte = next[at];
      if (byte === QUOTE || byte === BACKSLASH || byte === LINE_FEED) break;
    }
    return at;
  }

  function onText(byte: number, at: number): void {
    if (isEscaped) isEscaped = false;
    else if (byte === BACKSLASH) isEscaped = true;
    else if (byte === QUOTE) place = depth === 0 ? 'scalar' : 'container';
    if (byte !== LINE_FEED) return;
    isEscaped = false;
    finish(at, 'not JSON: a text in it is not closed before the end of the line');
    place = 'lost';
  }

  function onLost(byte: number, at: number): void {
    if (isLineStart && (byte === OPEN_OBJECT || byte === CLOSE_LIST)) {
      place = 'between';
      onBetween(byte, at);
    }
  }

  function onContainer(byte: number, at: number): void {
    if (byte === QUOTE) place = 'text';
    else if (byte === OPEN_OBJECT && isNextValue()) {
      finish(at, 'not JSON: it is not closed before the next value begins');
      onBetween(byte, at);
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) open(byte);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) close(byte, at);
    if (byte > SPACE) previous = byte;
  }

  /** Whether a brace cannot belong to the container that it is in. */
  function isNextValue(): boolean {
    if (isLineStart && content.isTooLong()) return true;
    if (depth > MAX_NESTING) return false;
    return isObject[depth] ? previous !== COLON : previous !== COMMA && previous !== OPEN_LIST;
  }

  function open(byte: number): void {
    depth++;
    if (depth <= MAX_NESTING) isObject[depth] = Number(byte === OPEN_OBJECT);
    else isTooDeep = true;
    previous = byte;
  }

  function close(byte: number, at: number): void {
    const isMatch = depth > MAX_NESTING || isObject[depth] === Number(byte === CLOSE_OBJECT);
    if (!isMatch) finish(at + 1, 'not JSON: its brackets do not match');
    else if (--depth === 0) finish(at + 1);
  }

  const handlers = {
    between: onBetween,
    container: onContainer,
    text: onText,
    scalar: onScalar,
    lost: onLost,
  };
  const isWithin = () => place !== 'between' && place !== 'lost';
  const takeValues = () => {
    const taken = values;
    values = [];
    return taken;
  };
  function step(byte: number, at: number): void {
    handlers[place](byte, at);
    if (byte === LINE_FEED) [line, isLineStart] = [line + 1, true];
    else if (byte > SPACE) isLineStart = false;
  }

  return {
    /** Returns the values that end in the chunk. */
    scan(next: Uint8Array): JsonValue[] {
      [chunk, start] = [next, 0];
      for (let at = 0; at < next.byteLength; at++) {
        if (place === 'text' && !isEscaped) at = withinText(next, at);
        if (at < next.byteLength) step(next[at] as number, at);
      }
      if (isWithin()) keep(next.byteLength);
      endedAt -= next.byteLength;
      return takeValues();
    },
    end(): JsonValue[] {
      [chunk, start] = [new Uint8Array(0), 0];
      if (isWithin()) finish(0, place === 'scalar' ? undefined : 'not JSON: the input ends within it');
      else if (isInArray)
        values.push({ line, bytes: 0, problem: 'the array is not closed: the input is not complete' });
      return takeValues();
    },
  };
}
