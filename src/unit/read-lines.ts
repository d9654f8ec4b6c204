import { setImmediate as nextTurn } from 'node:timers/promises';

/** A line of input that is not blank. */
export type Line = {
  /** Counted from 1, blank lines included. */
  line: number;
  /** The bytes of the input up to its end: those of the line, its line break, and the blank lines before it. */
  bytes: number;
} & ({ text: string } | { problem: string });

const MAX_LINE_BYTES = 2 ** 20;
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
  const splitter = createSplitter(maxLineBytes);
  for await (const chunk of chunks) {
    let startMs = performance.now();
    for (const line of splitter.add(chunk)) {
      yield line;
      if (performance.now() - startMs < MAX_STRETCH_MS) continue;
      await nextTurn();
      startMs = performance.now();
    }
  }
  yield* splitter.endLine();
}

function createSplitter(maxLineBytes: number) {
  const buffer = createLineBuffer(maxLineBytes);
  const decode = createDecoder();
  let line = 0;
  let bytes = 0;

  function* endLine(): Generator<Line, void> {
    line++;
    const content = buffer.take();
    if (content?.byteLength === 0) return;
    const decoded = content
      ? decode(content, line === 1)
      : { problem: `it is longer than ${maxLineBytes} bytes` };
    if ('text' in decoded && decoded.text.trim() === '') return;
    yield { line, bytes, ...decoded };
    bytes = 0;
  }

  return {
    *add(chunk: Uint8Array): Generator<Line, void> {
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        buffer.add(chunk.subarray(start, end));
        bytes += end + 1 - start;
        start = end + 1;
        yield* endLine();
      }
      buffer.add(chunk.subarray(start));
      bytes += chunk.byteLength - start;
    },
    endLine,
  };
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

/** Collects the pieces of a line, however small they are, until the line is too long. */
function createLineBuffer(maxLineBytes: number) {
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
    /** Returns the line, valid until the next `add`, and starts the next one; `undefined` if the line is too long. */
    take(): Uint8Array | undefined {
      const content = length > maxLineBytes ? undefined : buffer.subarray(0, length);
      length = 0;
      return content;
    },
  };
}
