import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Line, readLines } from '../../src/unit/read-lines.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
}

/** Returns the number of each line, and its text or problem. */
async function linesOf(input: string | Uint8Array | readonly Uint8Array[], maxLineBytes?: number) {
  const bytes = typeof input === 'string' ? bytesOf(input) : input;
  const chunks = bytes instanceof Uint8Array ? [bytes] : bytes;
  const lines: (string | number)[][] = [];
  for await (const read of readLines(stream(chunks), maxLineBytes)) {
    lines.push([read.line, 'text' in read ? read.text : `! ${read.problem}`]);
  }
  return lines;
}

describe('readLines', () => {
  it('returns each line with its number, which counts the blank lines that it skips', async () => {
    expect(await linesOf('one\n\n  \t\nfour\n')).toEqual([
      [1, 'one'],
      [4, 'four'],
    ]);
    expect(await linesOf('')).toEqual([]);
    expect(await linesOf('\n\n')).toEqual([]);
  });

  it('returns a last line without a line break', async () => {
    expect(await linesOf('one\ntwo')).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
  });

  it('removes the line breaks of Windows, and a byte order mark at the start of the input only', async () => {
    expect(await linesOf('\uFEFFone\r\n\r\n\uFEFFthree\r\n')).toEqual([
      [1, 'one'],
      [3, '\uFEFFthree'],
    ]);
  });

  it('returns the same lines however the input is cut into chunks', async () => {
    const text = fc.array(fc.constantFrom('a', 'é', '日', '😀', '\n', '\r\n', ' ', '\uFEFF'), {
      maxLength: 40,
    });
    const cuts = fc.array(fc.nat(120), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, cuts, async (characters, cutAt) => {
        const whole = bytesOf(characters.join(''));
        const bounds = [0, ...cutAt.map((at) => Math.min(at, whole.length)), whole.length].sort(
          (a, b) => a - b,
        );
        const pieces = bounds.slice(1).map((end, index) => whole.subarray(bounds[index], end));
        expect(await linesOf(pieces, 30)).toEqual(await linesOf(whole, 30));
      }),
    );
  });

  it('counts the bytes of each line with its line break and the blank lines before it', async () => {
    const input = bytesOf('\uFEFFone\r\n\n\ntwo é\nlast');
    const lines: Line[] = [];
    for await (const read of readLines(stream([input.subarray(0, 7), input.subarray(7)]))) lines.push(read);
    expect(lines.map(({ bytes }) => bytes)).toEqual([8, 9, 4]);
  });

  it('returns a line that is too long as a problem, and reads the next one', async () => {
    const pieces = Array.from({ length: 11 }, () => bytesOf('x'));
    expect(await linesOf([bytesOf('1234567890\n'), ...pieces, bytesOf('x\nshort')], 10)).toEqual([
      [1, '1234567890'],
      [2, '! it is longer than 10 bytes'],
      [3, 'short'],
    ]);
  });

  it('returns a line that is not UTF-8 as a problem, and reads the next one', async () => {
    const latin1 = Buffer.from('one\ncaf\u00e9\nthree \u00e9', 'latin1');
    expect(await linesOf(latin1)).toEqual([
      [1, 'one'],
      [2, '! it is not UTF-8'],
      [3, '! it is not UTF-8'],
    ]);
  });

  /** An endless input that records how it is read. */
  function createEndlessInput() {
    const state = { requested: 0, isClosed: false };
    async function* chunks() {
      try {
        for (;;) {
          state.requested++;
          yield bytesOf('a\nb\n');
        }
      } finally {
        state.isClosed = true;
      }
    }
    return { state, chunks: chunks() };
  }

  it('requests the next chunk only when all lines of the last one have been read', async () => {
    const { state, chunks } = createEndlessInput();
    const lines = readLines(chunks);
    await lines.next();
    await lines.next();
    expect(state.requested).toBe(1);
    await lines.next();
    expect(state.requested).toBe(2);
  });

  it('closes the input when its reader stops', async () => {
    const { state, chunks } = createEndlessInput();
    const lines = readLines(chunks);
    await lines.next();
    await lines.return();
    expect(state.isClosed).toBe(true);
  });

  it('keeps no more than about a line in memory of an input without a line break', async () => {
    const piece = new Uint8Array(2 ** 20).fill(0x61);
    const pieces = 512;
    let most = 0;
    async function* input() {
      for (let i = 0; i < pieces; i++) {
        yield piece;
        most = Math.max(most, process.memoryUsage().arrayBuffers);
      }
    }
    const before = process.memoryUsage().arrayBuffers;
    const lines: Line[] = [];
    for await (const read of readLines(input())) lines.push(read);
    expect(lines).toEqual([
      { line: 1, bytes: pieces * piece.length, problem: 'it is longer than 1048576 bytes' },
    ]);
    expect(most - before).toBeLessThan(16 * 2 ** 20);
  });
});
