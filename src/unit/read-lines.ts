/** A line of input that is not blank. */
export type Line = {
  /** Counted from 1, blank lines included. */
  line: number;
  /** What it took of the input: its end too, and the blank lines before it. */
  bytes: number;
} & ({ text: string } | { complaint: string });

const MAX_LINE_BYTES = 2 ** 20;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = /^\uFEFF/;
const CARRIAGE_RETURN = /\r$/;

/**
 * Reads lines of UTF-8, and asks for a chunk only when a line is asked for that none before it held. Ends of lines may be
 * Windows', the last one may be missing, a byte order mark may come first. A line that is too long or no UTF-8 is complained of,
 * and the rest goes on. Never is more kept than a chunk and about twice `maxLineBytes`.
 *
 * @param maxLineBytes - of a line, without its end
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<Line, void> {
  const splitter = createSplitter(maxLineBytes);
  for await (const chunk of chunks) yield* splitter.add(chunk);
  yield* splitter.end();
}

function createSplitter(maxLineBytes: number) {
  const begun = createBegunLine(maxLineBytes);
  const decode = createDecoder();
  let line = 0;
  let bytes = 0;

  function* finish(): Generator<Line, void> {
    line++;
    const content = begun.take();
    const read = content === undefined ? tooLong(maxLineBytes) : decode(content, line === 1);
    if ('text' in read && read.text.trim() === '') return;
    yield { line, bytes, ...read };
    bytes = 0;
  }

  return {
    *add(chunk: Uint8Array): Generator<Line, void> {
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        begun.add(chunk.subarray(from, end));
        bytes += end + 1 - from;
        from = end + 1;
        yield* finish();
      }
      begun.add(chunk.subarray(from));
      bytes += chunk.byteLength - from;
    },
    end: finish,
  };
}

function tooLong(maxLineBytes: number): { complaint: string } {
  return { complaint: `it is longer than ${maxLineBytes} bytes` };
}

function createDecoder() {
  // It drops no byte order mark: only the first line may begin with one, elsewhere it is a character.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (content: Uint8Array, isFirst: boolean): { text: string } | { complaint: string } => {
    try {
      const text = decoder.decode(content).replace(CARRIAGE_RETURN, '');
      return { text: isFirst ? text.replace(BYTE_ORDER_MARK, '') : text };
    } catch {
      return { complaint: 'it is not UTF-8' };
    }
  };
}

/** Gathers a line that comes in pieces, however small these are, until it is too long to be worth it. */
function createBegunLine(maxLineBytes: number) {
  let kept = new Uint8Array(0);
  let length = 0;
  return {
    add(piece: Uint8Array): void {
      const before = length;
      length += piece.byteLength;
      if (length > maxLineBytes) {
        kept = new Uint8Array(0);
        return;
      }
      if (length > kept.byteLength) kept = grow(kept, before, Math.min(2 * length, maxLineBytes));
      kept.set(piece, before);
    },
    /** All of it, to be read before the next `add`; `undefined`: it is too long. */
    take(): Uint8Array | undefined {
      const whole = length > maxLineBytes ? undefined : kept.subarray(0, length);
      length = 0;
      return whole;
    },
  };
}

function grow(bytes: Uint8Array, used: number, size: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(size);
  grown.set(bytes.subarray(0, used));
  return grown;
}
