import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { setUpCommands } from '../support/command.ts';

/** A client's server that answers for `/slow.jpg` only when it is told to. */
async function setUpSlowSource() {
  const waiting: ServerResponse[] = [];
  let arrived = () => {};
  const asked = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const slow = (response: ServerResponse) => {
    waiting.push(response);
    arrived();
  };
  const commands = await setUpCommands({ '/slow.jpg': slow });
  const answer = () => {
    for (const response of waiting.splice(0)) response.end(commands.photo);
  };
  return { ...commands, asked, answer };
}

describe('the command prewarm, interrupted', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'finishes what is in hand at %s, and does only what is missing next time',
    async (signal) => {
      const { start, run, write, src, asked, answer, origin } = await setUpSlowSource();
      const units = [
        { id: 'slow', images: [src('/slow.jpg')] },
        ...Array.from({ length: 500 }, (_, index) => ({ id: `u${index}`, images: [src(`/${index}.jpg`)] })),
      ];
      const file = await write('units.jsonl', units);
      const program = start(['prewarm', file]);
      await asked;
      // As npm does: each signal comes twice.
      program.process.kill(signal);
      await once(program.process.stderr as NodeJS.ReadableStream, 'data');
      program.process.kill(signal);
      answer();
      expect(await program.ended).toBe(1);
      expect(program.output.stderr).toContain(
        'Stopping: what has begun is finished. Once more to end at once.',
      );
      expect(program.output.stderr).toContain('It was stopped before its end.');
      expect(program.output.stderr).toMatch(/Running it again does only what is missing\.\n$/);
      const before = new Set(origin.requests);
      expect(before.size).toBeLessThan(400);
      // What had not begun was not waited for.
      expect(program.output.stderr).toMatch(/, \d+ pending$/m);
      expect((await run(['status', 'slow'])).stdout).toContain('1 ready');

      const rest = await write('rest.jsonl', units.slice(0, 30));
      origin.requests.length = 0;
      expect((await run(['prewarm', rest])).status).toBe(0);
      expect(origin.requests.filter((path) => before.has(path))).toEqual([]);
    },
  );

  it('stops reading standard input that has no end', async () => {
    const { start, src } = await setUpSlowSource();
    const program = start(['prewarm', '-', '--json']);
    program.process.stdin?.write(`{"id":"a","images":["${src('/1.jpg')}"]}\n`);
    await program.printed(/"ready"/);
    program.process.kill('SIGINT');
    expect(await program.ended).toBe(1);
    expect(program.output.stderr).toContain('1 unit in ');
  });

  it('ends at once when it is told to once more', async () => {
    const { start, src, asked } = await setUpSlowSource();
    const program = start(['prewarm', '-']);
    program.process.stdin?.write(`{"id":"a","images":["${src('/slow.jpg')}"]}\n`);
    await asked;
    const insisting = setInterval(() => program.process.kill('SIGINT'), 20);
    onTestFinished(() => clearInterval(insisting));
    expect(await program.ended).toBe(1);
    expect(program.output.stderr).toBe('Stopping: what has begun is finished. Once more to end at once.\n');
  });
});
