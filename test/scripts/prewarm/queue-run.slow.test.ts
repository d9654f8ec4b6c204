import { describe, expect, it } from 'vitest';
import { createSqsQueue } from '../../../src/queue/sqs-queue.ts';
import { CREDENTIALS } from '../../support/aws/signatures.ts';
import { parseLines, setUpCommands } from '../../support/command.ts';
import { startService } from '../../support/http/service.ts';
import { startConsumer } from '../../support/queue/consumer.ts';
import { createTestQueue } from '../../support/queue/sqs.ts';

const missing = (response: { writeHead(status: number): { end(): void } }) => response.writeHead(404).end();

/** The commands with an SQS queue. */
async function setUpQueue(answers: Parameters<typeof setUpCommands>[0] = {}) {
  const location = await createTestQueue();
  const { url } = location;
  const env = { QUEUE: url, SQS_ENDPOINT: new URL(url).origin, ...CREDENTIALS };
  const commands = await setUpCommands(answers, env);
  const queue = createSqsQueue({ ...location, waitSeconds: 0 });
  const units = async () =>
    (await startService({ ...commands.environment, QUEUE: 'local' })).unitServices.units;
  return {
    ...commands,
    /** The work on units of a service on the same store. */
    units,
    /** Starts a worker. */
    async startWorker() {
      const { processJob } = (await startService({ ...commands.environment, QUEUE: 'local' })).unitServices;
      startConsumer(queue, { handle: (job) => processJob(job, () => {}) });
    },
  };
}

describe('the command prewarm with a queue', () => {
  it('puts units on the queue and prints how many', async () => {
    const { run, src, origin } = await setUpQueue();
    const lines = Array.from({ length: 300 }, (_, index) => ({
      id: `u${index}`,
      images: [src('/a.jpg'), src('/b.jpg')],
    }));
    const input = [...lines.map((line) => JSON.stringify(line)), 'no unit'].join('\n');
    const { status, stdout, stderr } = await run(['prewarm', '-', '--json'], input);
    expect(parseLines(stdout)).toEqual([{ line: 301, state: 'refused', detail: expect.any(String) }]);
    expect(stderr).toMatch(/^300 units with 600 images put on the queue in .*; 1 line refused\n/);
    expect(status).toBe(2);
    expect((await run(['status', 'u0'])).stdout).toContain('2 pending');
    expect(origin.requests).toEqual([]);
  });

  it('follows units until they are done with --wait, and prints the same lines and summary as without a queue', async () => {
    const { run, src, startWorker, photo } = await setUpQueue({ '/gone.jpg': missing });
    const waiting = run(
      ['prewarm', '-', '--wait', '--json'],
      [
        JSON.stringify({ id: 'a', images: [src('/1.jpg'), src('/gone.jpg'), 'no URL'] }),
        JSON.stringify({ id: 'b', images: [src('/2.jpg')], formats: ['jpeg'] }),
      ].join('\n'),
    );
    await startWorker();
    const { status, stdout, stderr } = await waiting;
    const url = expect.stringContaining('&w=160&q=balanced&f=');
    const variant = { url, width: 160, tier: 'balanced', bytes: expect.any(Number) };
    const ready = { state: 'ready', sourceBytes: photo.length, skipped: false };
    const broken = { state: 'broken', detail: expect.any(String), retryable: false };
    const bySource = (lines: Record<string, unknown>[]) =>
      lines.sort((x, y) => (String(x['src']) < String(y['src']) ? -1 : 1));
    expect(bySource(parseLines(stdout))).toEqual([
      {
        ...{ unit: 'a', src: src('/1.jpg'), ...ready },
        variants: [
          { ...variant, format: 'avif', type: 'image/avif' },
          { ...variant, format: 'webp', type: 'image/webp' },
        ],
      },
      {
        ...{ unit: 'b', src: src('/2.jpg'), ...ready },
        variants: [{ ...variant, format: 'jpeg', type: 'image/jpeg' }],
      },
      { unit: 'a', src: src('/gone.jpg'), ...broken, code: 'source_not_found' },
      { unit: 'a', src: 'no URL', ...broken, code: 'bad_request' },
    ]);
    expect(stderr).toMatch(/^2 units in .*, 4 images: 2 ready, 2 broken$/m);
    expect(stderr).toContain('160 balanced avif');
    expect(status).toBe(2);
  });

  it('says with --wait which images were there before, and reports those that are made again as they are then', async () => {
    const { run, src, startWorker } = await setUpQueue();
    const inputOf = (formats: string[]) => JSON.stringify({ id: 'a', images: [src('/1.jpg')], formats });
    const local = { QUEUE: 'local', PREWARM_EFFORT: 'fast' };
    const [fast] = parseLines((await run(['prewarm', '-', '--json'], inputOf(['webp']), local)).stdout);
    await startWorker();
    const follow = async (formats: string[]) =>
      parseLines((await run(['prewarm', '-', '--wait', '--json'], inputOf(formats))).stdout);
    const [best] = await follow(['webp']);
    expect(best).toMatchObject({ state: 'ready', skipped: false });
    expect(best).not.toEqual(fast);
    expect(await follow(['webp'])).toEqual([{ ...best, skipped: true }]);
    expect(await follow(['webp', 'jpeg'])).toMatchObject([{ state: 'ready', skipped: false }]);
  });

  it('waits for the new outcome of a broken source with --retry', async () => {
    const { run, src, startWorker, origin } = await setUpQueue({ '/gone.jpg': missing });
    const input = JSON.stringify({ id: 'a', images: [src('/gone.jpg')] });
    expect((await run(['prewarm', '-'], input, { QUEUE: 'local' })).status).toBe(2);
    expect((await run(['prewarm', '-', '--wait'], input)).stderr).toContain('1 broken');

    const retry = ['prewarm', '-', '--wait', '--retry'];
    expect((await run([...retry, '--patience', '1'], input)).stderr).toContain('1 pending');
    expect(origin.requests.length).toBe(1);
    await startWorker();
    expect((await run(retry, input)).stderr).toContain('1 broken');
    expect(origin.requests.length).toBeGreaterThan(1);
  });

  it('counts a unit that is purged while it is followed', async () => {
    const { run, src, units } = await setUpQueue();
    const input = JSON.stringify({ id: 'a', images: [src('/1.jpg')] });
    let hasEnded = false;
    const following = run(['prewarm', '-', '--wait', '--json'], input).finally(() => {
      hasEnded = true;
    });
    const service = await units();
    while ((await service.status('a')) === undefined) expect(hasEnded).toBe(false);
    await service.purge(['a']);
    const { status, stdout, stderr } = await following;
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('1 unit purged meanwhile');
  });

  it('ends with 1 when there is no new outcome for as long as --patience says', async () => {
    const { run, src } = await setUpQueue();
    const input = JSON.stringify({ id: 'a', images: [src('/1.jpg'), src('/2.jpg')] });
    const { status, stderr } = await run(['prewarm', '-', '--wait', '--patience', '1'], input);
    expect(status).toBe(1);
    expect(stderr).toContain('2 images: 0 ready, 2 pending');
    expect(stderr).toContain('No progress for 1 s: is any worker consuming the queue?');
  });

  it('follows many units without a warning of Node about listeners', async () => {
    const { start, src } = await setUpQueue();
    const units = Array.from({ length: 40 }, (_, index) => ({ id: `u${index}`, images: [src('/1.jpg')] }));
    const program = await start(['prewarm', '-', '--wait', '--patience', '1']);
    program.process.stdin?.end(units.map((unit) => JSON.stringify(unit)).join('\n'));
    await program.ended;
    expect(program.output.stderr).toContain('40 images: 0 ready, 40 pending');
    expect(program.output.stderr).not.toContain('Warning');
  });

  it('ends with 1 and the reason when the queue cannot be reached', async () => {
    const { run, src } = await setUpQueue();
    const input = JSON.stringify({ id: 'a', images: [src('/1.jpg')] });
    const { status, stderr } = await run(['prewarm', '-'], input, { SQS_ENDPOINT: 'http://127.0.0.1:1' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^0 units with 0 images put on the queue/);
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr).toMatch(/Run it again to make only what is missing\.\n$/);
  });
});
