import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cloudFormation, cloudFrontStores, lambdaAccount, sts } from '../support/aws/account-services.ts';
import { startAws } from '../support/aws/aws.ts';
import { A, B, list } from '../support/aws/keys.ts';
import { ENVIRONMENT, setUpStack } from '../support/aws/stack.ts';
import {
  parseLines,
  runCommandProcess,
  setUpCommands,
  startCommand,
  withoutProgress,
} from '../support/command.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { runProgram } from '../support/program.ts';
import { SIGNING_KEYS } from '../support/server-process.ts';
import { setUpCdn, setUpService } from '../support/smoke-services.ts';

/*
 * Each command in a process of its own: that scripts/edgepress.ts has it, and what only a process has, which is an exit status,
 * pipes and signals. What commands do is tested in process.
 */

describe('the process of edgepress', () => {
  it('prints the URL of sign', async () => {
    const { status, stdout, stderr } = await runCommandProcess([
      ...['sign', '--unit', 'a'],
      ...['--src', 'https://x.test/a.jpg'],
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe('http://127.0.0.1:3000/u/a?src=https%3A%2F%2Fx.test%2Fa.jpg\n');
  });

  it('exits with 1 and prints a failure without a stack trace', async () => {
    const ended = await runCommandProcess(['sign', '--unit', 'a', '--src', 'a.jpg']);
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^--src [^\n]*\.\n$/);
  });

  it('exits with 1 and prints the help when the command is unknown', async () => {
    const { status, stdout, stderr } = await runCommandProcess(['nonsense']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/unknown command 'nonsense'\n\nUsage: edgepress /);
  });

  it('completes prewarm after the reader of its output has closed the pipe', async () => {
    const { start, write, src } = await setUpCommands();
    const units = Array.from({ length: 30 }, (_, index) => ({ id: `u${index}`, images: [src('/1.jpg')] }));
    const program = await start(['prewarm', await write('units.jsonl', units), '--json']);
    program.process.stdout?.destroy();
    expect(await program.ended).toBe(0);
    expect(withoutProgress(program.output.stderr)).toMatch(/^30 units in .*: 30 ready\n/);
  });

  it('ends status when the reader of its output has closed the pipe', async () => {
    const { start, run, src } = await setUpCommands();
    await run(['prewarm', '-'], JSON.stringify({ id: 'done', images: [src('/a.jpg')] }));
    const program = await start(['status', '-']);
    program.process.stdout?.destroy();
    program.process.stdin?.on('error', () => {});
    const asking = setInterval(() => program.process.stdin?.write('done\n'), 1);
    onTestFinished(() => clearInterval(asking));
    expect(await program.ended).toBe(0);
    expect(program.output.stderr).toBe('');
  });

  it('reads the units of purge from a pipe', async () => {
    const { environment, run, src } = await setUpCommands();
    await run(['prewarm', '-'], JSON.stringify({ id: 'a', images: [src('/a.jpg')] }));
    const { status, stdout, stderr } = await runCommandProcess(
      ['purge', '-', '--json'],
      environment,
      'a\nno unit\n',
    );
    expect(parseLines(stdout)).toEqual([expect.objectContaining({ id: 'a', objects: 3 })]);
    expect(stderr).toMatch(
      /^line 2: no unit is not a unit id: .*\n1 unit purged: 3 objects, .*\nNo CDN .*\n1 line refused\n$/,
    );
    expect(status).toBe(2);
  });

  it('prints the totals of cases', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'cases.json'), JSON.stringify([{ file: 'a.jpg', outcome: 'image' }]));
    await writeFile(join(folder, 'a.jpg'), await photograph());
    const { status, stdout, stderr } = await runCommandProcess(['cases', folder]);
    expect(stdout + stderr).toMatch(/^peak memory: \d+ MiB\n1 passed, 0 failed\n$/);
    expect(status).toBe(0);
  });

  it('prints lines of env that a shell evaluates', async () => {
    const { aws } = await setUpStack({ edge: A, signers: A });
    const { status, stdout, stderr } = await runCommandProcess(['env', 'Edgepress'], aws.env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const script = 'eval "$1"; printf \'%s\\n\' "$PUBLIC_URL" "$SIGNING_KEYS"';
    const values = execFileSync('sh', ['-c', script, 'sh', stdout], { encoding: 'utf8' });
    expect(values).toBe(`${ENVIRONMENT.PUBLIC_URL}\n${A}\n`);
  });

  it('exits with 2 when keys list finds that edge and signers do not agree', async () => {
    const { aws } = await setUpStack({ edge: list(A, B), signers: A });
    const { status, stdout, stderr } = await runCommandProcess(['keys', 'list'], aws.env);
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
    expect(stdout).toMatch(/^Edgepress: 2 keys\n/);
  });

  it('prints the findings of deploy:check', async () => {
    const stacks = { CDKToolkit: { status: 'CREATE_COMPLETE', outputs: { BootstrapVersion: '33' } } };
    const aws = await startAws(sts(), cloudFormation(stacks), lambdaAccount(1000), cloudFrontStores());
    // As TypeScript: it reads cdk.json of the checkout.
    const program = runProgram('scripts/edgepress.ts', ['deploy:check'], aws.env);
    const status = await program.ended;
    const { stdout, stderr } = program.output;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^ok +Node .*\n((ok| +→) .*\n){9}$/);
  });

  it('purges what smoke has stored when it is interrupted while it waits', async () => {
    const { url, src, store, folder } = await setUpService();
    const { url: cdnUrl, env, cloudFront } = await setUpCdn(url, 3600);
    const program = await startCommand(['smoke', cdnUrl, '--src', src], { SIGNING_KEYS, ...store, ...env });
    await program.printed(/second request/);
    await program.printed(/Waiting for the copy of the miss at the CDN to expire: 3600 s/, 'stderr');
    program.process.kill('SIGINT');
    expect(await program.ended).toBe(1);
    expect(program.output.stdout).toMatch(
      /skipped +the store's copy +interrupted\nok +last purge +3 objects\n$/,
    );
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith('.tmp'));
    // The server has its lease of the queue, and every purge leaves its time: that of the unit, and that of the one for the early purge.
    const left = files.filter(({ name }) => name !== 'last' && name !== 'queue.json');
    const purged = join(folder, 'purged');
    expect(left.map(({ parentPath }) => parentPath)).toEqual([purged, purged]);
    expect(cloudFront.invalidations()).toHaveLength(1);
  });
});
