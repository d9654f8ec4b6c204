import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSqsQueue } from '../../../src/queue/sqs-queue.ts';
import { CREDENTIALS } from '../../support/aws/signatures.ts';
import { setUpCommands, withoutProgress } from '../../support/command.ts';
import { createTestQueue } from '../../support/queue/sqs.ts';

/** The commands, and an origin that responds to `/slow.jpg` only when `respond` is called. `requested` resolves at its first request. */
async function setUpSlowSource(env: Record<string, string> = {}) {
  const waiting: ServerResponse[] = [];
  let arrived = () => {};
  const requested = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const slow = (response: ServerResponse) => {
    waiting.push(response);
    arrived();
  };
  const commands = await setUpCommands({ '/slow.jpg': slow }, env);
  const respond = () => {
    for (const response of waiting.splice(0)) response.end(commands.photo);
  };
  return { ...commands, requested, respond };
}

/** The images that a report has as ready. */
function readySources(report: string): string[] {
  const lines = report
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { src: string; state: string });
  return lines.filter(({ state }) => state === 'ready').map(({ src }) => src);
}

describe('the command prewarm when it is interrupted', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'finishes the work in flight at %s, and the next run does only what is missing',
    async (signal) => {
      const { start, run, write, src, requested, respond, origin } = await setUpSlowSource({
        PREWARM_EFFORT: 'fast',
        PREWARM_FORMATS: 'webp',
      });
      const units = [
        { id: 'slow', images: [src('/slow.jpg')] },
        ...Array.from({ length: 500 }, (_, index) => ({ id: `u${index}`, images: [src(`/${index}.jpg`)] })),
      ];
      const file = await write('units.jsonl', units);
      const program = await start(['prewarm', file, '--json']);
      await requested;
      // Once encoders run, the work in flight takes a moment, on a busy machine too.
      await program.printed(/"ready"/);
      // npm forwards the signal, so each comes twice.
      program.process.kill(signal);
      await program.printed(/Stopping: /, 'stderr');
      program.process.kill(signal);
      respond();
      expect(await program.ended).toBe(1);
      expect(program.output.stderr).toContain(
        'Stopping: finishing the work in flight. Press Ctrl-C again to exit now.',
      );
      expect(program.output.stderr).toContain('Interrupted before the end.');
      expect(program.output.stderr).toMatch(/Run it again to make only what is missing\.\n$/);
      expect(new Set(origin.requests).size).toBeLessThan(400);
      // Work that had not started was not waited for.
      expect(program.output.stderr).toMatch(/, \d+ pending$/m);
      expect((await run(['status', 'slow'])).stdout).toContain('1 ready');

      // A slow machine gives up what does not end soon: that is asked for again.
      const ready = readySources(program.output.stdout).map((url) => new URL(url).pathname);
      expect(ready.length).toBeGreaterThan(0);
      const rest = await write('rest.jsonl', units.slice(0, 30));
      origin.requests.length = 0;
      expect((await run(['prewarm', rest])).status).toBe(0);
      expect(origin.requests.filter((path) => ready.includes(path ?? ''))).toEqual([]);
    },
  );

  it('gives up at SIGINT what would take long, which stays pending', async () => {
    const { start, run, write, src, requested } = await setUpSlowSource({ SOURCE_TIMEOUT_MS: '60000' });
    const file = await write('units.jsonl', [{ id: 'slow', images: [src('/slow.jpg')] }]);
    const program = await start(['prewarm', file]);
    await requested;
    program.process.kill('SIGINT');
    expect(await program.ended).toBe(1);
    expect(program.output.stderr).toContain('1 pending');
    expect((await run(['status', 'slow'])).stdout).toContain('1 pending');
  });

  it('stops reading endless standard input at SIGINT', async () => {
    const { start, src } = await setUpSlowSource();
    const program = await start(['prewarm', '-', '--json']);
    program.process.stdin?.write(`{"id":"a","images":["${src('/1.jpg')}"]}\n`);
    await program.printed(/"ready"/);
    program.process.kill('SIGINT');
    expect(await program.ended).toBe(1);
    expect(program.output.stderr).toContain('1 unit in ');
  });

  it('exits at once at a second SIGINT', async () => {
    const { start, src, requested } = await setUpSlowSource();
    const program = await start(['prewarm', '-']);
    program.process.stdin?.write(`{"id":"a","images":["${src('/slow.jpg')}"]}\n`);
    await requested;
    const insisting = setInterval(() => program.process.kill('SIGINT'), 20);
    onTestFinished(() => clearInterval(insisting));
    expect(await program.ended).toBe(1);
    expect(withoutProgress(program.output.stderr)).toBe(
      'Stopping: finishing the work in flight. Press Ctrl-C again to exit now.\n',
    );
  });

  it('stops following at SIGINT and leaves the units on the queue', async () => {
    const location = await createTestQueue();
    const env = { QUEUE: location.url, SQS_ENDPOINT: new URL(location.url).origin, ...CREDENTIALS };
    const { start, src } = await setUpCommands({}, env);
    const queue = createSqsQueue({ ...location, waitSeconds: 0 });
    const program = await start(['prewarm', '-', '--wait']);
    program.process.stdin?.end(JSON.stringify({ id: 'a', images: [src('/1.jpg')] }));
    while ((await queue.depth()) === 0) expect(program.process.exitCode).toBe(null);
    program.process.kill('SIGINT');
    expect(await program.ended).toBe(1);
    expect(program.output.stderr).toContain('1 image: 0 ready, 1 pending');
    expect(program.output.stderr).toContain('Interrupted before the end.');
  });
});
