import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Line, readLines } from '../../src/unit/read-lines.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
}

/** What is said of each line, without how long it was. */
async function linesOf(input: string | Uint8Array | readonly Uint8Array[], maxLineBytes?: number) {
  const bytes = typeof input === 'string' ? bytesOf(input) : input;
  const chunks = bytes instanceof Uint8Array ? [bytes] : bytes;
  const lines: (string | number)[][] = [];
  for await (const read of readLines(stream(chunks), maxLineBytes)) {
    lines.push([read.line, 'text' in read ? read.text : `! ${read.problem}`]);
  }
  return lines;
}

describe('reading lines', () => {
  it('gives each line by its number, and leaves out blank ones that it counts', async () => {
    expect(await linesOf('one\n\n  \t\nfour\n')).toEqual([
      [1, 'one'],
      [4, 'four'],
    ]);
    expect(await linesOf('')).toEqual([]);
    expect(await linesOf('\n\n')).toEqual([]);
  });

  it('takes a last line that has no end', async () => {
    expect(await linesOf('one\ntwo')).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
  });

  it('takes the ends of lines that Windows writes, and a byte order mark where a file may have one', async () => {
    expect(await linesOf('\uFEFFone\r\n\r\n\uFEFFthree\r\n')).toEqual([
      [1, 'one'],
      [3, '\uFEFFthree'],
    ]);
  });

  it('gives the same lines wherever the chunks are cut', async () => {
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

  it('says of each line how much of the input it took', async () => {
    const input = bytesOf('\uFEFFone\r\n\n\ntwo é\nlast');
    const lines: Line[] = [];
    for await (const read of readLines(stream([input.subarray(0, 7), input.subarray(7)]))) lines.push(read);
    expect(lines.map(({ bytes }) => bytes)).toEqual([8, 9, 4]);
  });

  it('complains of a line that is too long by its number, and goes on', async () => {
    const pieces = Array.from({ length: 11 }, () => bytesOf('x'));
    expect(await linesOf([bytesOf('1234567890\n'), ...pieces, bytesOf('x\nshort')], 10)).toEqual([
      [1, '1234567890'],
      [2, '! it is longer than 10 bytes'],
      [3, 'short'],
    ]);
  });

  it('complains of a line that is no UTF-8 by its number, and goes on', async () => {
    const latin1 = Buffer.from('one\ncaf\u00e9\nthree \u00e9', 'latin1');
    expect(await linesOf(latin1)).toEqual([
      [1, 'one'],
      [2, '! it is not UTF-8'],
      [3, '! it is not UTF-8'],
    ]);
  });

  it('asks for no chunk before the lines of the last one are taken, and lets go of the input when its reader stops', async () => {
    let asked = 0;
    let released = false;
    async function* input() {
      try {
        for (;;) {
          asked++;
          yield bytesOf('a\nb\n');
        }
      } finally {
        released = true;
      }
    }
    const lines = readLines(input());
    await lines.next();
    await lines.next();
    expect(asked).toBe(1);
    await lines.next();
    expect(asked).toBe(2);
    await lines.return();
    expect(released).toBe(true);
  });

  it('keeps no more than about a line of an input that has no end of a line', async () => {
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
