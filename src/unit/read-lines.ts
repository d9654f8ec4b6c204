import { setImmediate as nextTurn } from 'node:timers/promises';

/** A line of input that is not blank. */
export type Line = {
  /** Counted from 1, blank lines included. */
  line: number;
  /** The bytes of the input up to its end: those of the line, its line break, and the blank lines before it. */
  bytes: number;
} & ({ text: string } | { problem: string });

const MAX_LINE_BYTES = 2 ** 20;
/** Of a chunk at a stretch: it may be eight thousand lines, a few milliseconds. */
const BATCH_BYTES = 2 ** 14;
/** How long lines are read at a stretch, with what their reader does: others wait meanwhile. A chunk may be thirty thousand lines. */
const MAX_STRETCH_MS = 10;
const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = /^\uFEFF/;
const CARRIAGE_RETURN = /\r$/;

// Not `split2`: it replaces invalid UTF-8 instead of detecting it, drops lines that are too long without naming them, and counts neither
// lines nor bytes.

/**
 * Reads lines of UTF-8, with back-pressure: requests the next chunk only when all lines of the last one have been read. Line breaks may
 * be those of Windows, the last one may be missing, and a byte order mark may come first. A line that is too long or not UTF-8 is
 * returned as a problem, and reading goes on. Keeps at most a chunk and about twice `maxLineBytes` in memory.
 *
 * @param maxLineBytes - the most bytes in a line, without its line break
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<Line, void> {
  let startMs = performance.now();
  for await (const lines of readLineBatches(chunks, maxLineBytes)) {
    for (const line of lines) {
      yield line;
      if (performance.now() - startMs < MAX_STRETCH_MS) continue;
      await nextTurn();
      startMs = performance.now();
    }
  }
}

/**
 * Reads lines as {@link readLines} does, several at a time, which costs less for each. Other work gets a turn after each few thousand; the
 * reader has to give it one after what it does with them.
 */
export async function* readLineBatches(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<Line[], void> {
  const splitter = createSplitter(maxLineBytes);
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.byteLength; start += BATCH_BYTES) {
      if (start > 0) await nextTurn();
      yield splitter.add(chunk.subarray(start, start + BATCH_BYTES));
    }
  }
  const last = splitter.endLine();
  if (last) yield [last];
}

function createSplitter(maxLineBytes: number) {
  const buffer = createLineBuffer(maxLineBytes);
  const decode = createDecoder();
  let line = 0;
  let bytes = 0;

  /** Returns the line; `undefined` if it is blank. */
  function endLine(): Line | undefined {
    line++;
    const content = buffer.take();
    if (content?.byteLength === 0) return undefined;
    const decoded = content
      ? decode(content, line === 1)
      : { problem: `it is longer than ${maxLineBytes} bytes` };
    if ('text' in decoded && decoded.text.trim() === '') return undefined;
    const read = { line, bytes, ...decoded };
    bytes = 0;
    return read;
  }

  return {
    add(chunk: Uint8Array): Line[] {
      const lines: Line[] = [];
      let start = 0;
      for (let end = nextLineFeed(chunk, 0); end >= 0; end = nextLineFeed(chunk, start)) {
        bytes += end + 1 - start;
        if (end === start && buffer.isEmpty()) line++;
        else {
          buffer.add(chunk.subarray(start, end));
          const read = endLine();
          if (read) lines.push(read);
        }
        start = end + 1;
      }
      buffer.add(chunk.subarray(start));
      bytes += chunk.byteLength - start;
      return lines;
    },
    endLine,
  };
}

/** `indexOf` takes ten times as long for a line that is empty. */
function nextLineFeed(chunk: Uint8Array, start: number): number {
  return chunk[start] === LINE_FEED ? start : chunk.indexOf(LINE_FEED, start);
}

function createDecoder() {
  // `ignoreBOM` keeps byte order marks: only the first line may start with one, elsewhere it is a character.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (content: Uint8Array, isFirst: boolean): { text: string } | { problem: string } => {
    try {
      const text = decoder.decode(content).replace(CARRIAGE_RETURN, '');
      return { text: isFirst ? text.replace(BYTE_ORDER_MARK, '') : text };
    } catch {
      return { problem: 'it is not UTF-8' };
    }
  };
}

/** Collects the pieces of a line, or of another text, however small they are, until it is too long. */
export function createLineBuffer(maxLineBytes: number) {
  let buffer = new Uint8Array(0);
  let length = 0;
  return {
    add(piece: Uint8Array): void {
      const lengthBefore = length;
      length += piece.byteLength;
      if (length > maxLineBytes) {
        buffer = new Uint8Array(0);
        return;
      }
      if (length > buffer.byteLength) {
        const grown = new Uint8Array(Math.min(2 * length, maxLineBytes));
        grown.set(buffer.subarray(0, lengthBefore));
        buffer = grown;
      }
      buffer.set(piece, lengthBefore);
    },
    isEmpty: (): boolean => length === 0,
    isTooLong: (): boolean => length > maxLineBytes,
    /** Returns the line, valid until the next `add`, and starts the next one; `undefined` if the line is too long. */
    take(): Uint8Array | undefined {
      const content = length > maxLineBytes ? undefined : buffer.subarray(0, length);
      length = 0;
      return content;
    },
  };
}
