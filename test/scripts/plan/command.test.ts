import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addPlanOptions } from '../../../scripts/plan/options.ts';
import { temporaryFolder } from '../../support/http/service.ts';
import { photograph } from '../../support/pictures.ts';
import { figuresIn } from '../../support/plan/shown.ts';
import { runProgram } from '../../support/setup/program.ts';

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const program = runProgram('scripts/edgepress.ts', ['plan', ...args], env);
  return { status: await program.ended, ...program.output };
}

const MILLION = ['--units-per-hour', '1000000', '--images', '5', '--ms', '350'];

describe('the command plan', () => {
  it('tells what a load needs, each figure with its arithmetic, and of what prices', async () => {
    const { status, stdout, stderr } = await run(MILLION);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^1,000,000 units of 5 images an hour: 1,389 images a second\n {2}487 workers at work, 608 at most/,
    );
    expect(stdout.split('\n')[2]).toBe(
      '  deploy with "workerMaxConcurrency": 608, "workerMemoryMb": 1769, "workerBatchSize": 2',
    );
    expect(stdout).toMatch(/^ {2}1,000,000 units that wait are done in/m);
    expect(stdout).toMatch(/: S3: reads a second \(grows by itself: begin slowly\)$/m);
    expect(stdout).toMatch(/^ {2}vCPUs at work +486 {2}= 1,389 images\/s × 0\.35 s$/m);
    expect(stdout).toMatch(/^ {2}workers that it takes +487 {2}= ⌈486 ÷ 1 vCPU⌉$/m);
    expect(stdout).not.toMatch(/486 workers|0\.0 s|1 months/);
    expect(stdout).toMatch(
      /^ {2}compute +\$40\.31 +\$8\.06 +\$29,426 {2}= 5,000,000 images × 0\.35 s .* × \$0\.0000133334$/m,
    );
    expect(stdout).toMatch(/^ {2}purging them costs +48\.\d+ times {2}= \$5,000 ÷ \$104$/m);
    expect(stdout).toMatch(/^Prices \(us-east-1, November 2026\)$/m);
    for (const title of ['Load', 'Workers', 'Queue', 'Store', 'CDN and views', 'Purges', 'Time', 'Cost'])
      expect(stdout.split('\n')).toContain(title);
  });

  it('prints the same figures as JSON', async () => {
    const [text, json] = await Promise.all([run(MILLION), run([...MILLION, '--json'])]);
    const { effort, ...plan } = JSON.parse(json.stdout);
    expect(plan.workers.busyVcpus).toEqual({
      label: 'vCPUs at work',
      unit: '',
      value: expect.closeTo(486.11, 2),
      arithmetic: '1,389 images/s × 0.35 s',
    });
    expect(plan.stackOptions).toEqual({
      workerMaxConcurrency: 608,
      workerMemoryMb: 1769,
      workerBatchSize: 2,
    });
    expect(plan.prices).toMatchObject({ date: 'November 2026', usdPerTag: 0.005 });
    // Of efforts, the text has a table and how each column is worked out.
    const figures = figuresIn(plan);
    expect(figures.length).toBeGreaterThan(60);
    for (const { label, arithmetic, value } of figures) {
      const reason = arithmetic.replace(`${value.toLocaleString('en')}, `, '');
      expect(text.stdout).toContain(reason);
      expect(text.stdout).toContain(label === 'executions' ? '' : `  ${label} `);
    }
    expect(figuresIn(effort).length).toBeGreaterThan(40);
  });

  it('makes what the environment says of each image', async () => {
    const env = { PREWARM_WIDTHS: '480,1080', PREWARM_FORMATS: 'avif', PREWARM_TIERS: 'high' };
    const { stdout } = await run([...MILLION, '--json'], env);
    const { given, load, effort } = JSON.parse(stdout);
    expect(given.wanted).toEqual({ widths: [480, 1080], tiers: ['high'], formats: ['avif'] });
    expect(load.variantsPerImage.value).toBe(2);
    expect(effort.score).toBe(80);
    expect(await run(MILLION, { PREWARM_WIDTHS: 'wide' })).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/PREWARM_WIDTHS: /),
    });
  });

  it('measures what an image takes, and says that what it has is small', async () => {
    const { status, stdout } = await run(['--units-per-hour', '1000'], { PREWARM_WIDTHS: '160' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Measured on one core of this machine \(.+\)$/m);
    expect(stdout).toMatch(/^ {2}nagasaki-boats +1024 × 819 +313\.3 kB .* ms$/m);
    expect(stdout).toMatch(/^ {2}CPU an image +[\d.]+ ms {2}--ms, measured$/m);
    expect(stdout).toMatch(/^Mind\n {2}- The photographs that come with the packages are small/m);
  });

  it('measures originals of a folder, and takes their sizes from it; what is no image is left out', async () => {
    const folder = await temporaryFolder();
    const photo = await photograph();
    await writeFile(join(folder, 'a.jpg'), photo);
    await writeFile(join(folder, 'b.jpg'), 'no image');
    await writeFile(join(folder, 'notes.txt'), 'nothing');
    const args = ['--units-per-hour', '1000', '--photos', folder, '--variant-kb', '9', '--json'];
    const { status, stdout, stderr } = await run(args, { PREWARM_WIDTHS: '160' });
    expect(status).toBe(0);
    expect(stderr).toMatch(/b\.jpg is left out: /);
    const { given, measurement, warnings } = JSON.parse(stdout);
    expect(given).toMatchObject({ sourceKb: photo.length / 1000, variantKb: 9 });
    expect(measurement).toMatchObject({ failed: 1, photographs: [{ name: 'a.jpg', bytes: photo.length }] });
    expect(given.msPerImage).toBeCloseTo(measurement.meanCpuMs / 0.88, 6);
    expect(warnings).toEqual([]);
  });

  it('says when the workers that it is allowed cannot keep up, or a batch takes too long', async () => {
    const { stdout } = await run([...MILLION, '--concurrency', '100']);
    expect(stdout).toMatch(/^ {2}1,000,000 units that wait are done in .*, or never, while as many come$/m);
    expect(stdout).toMatch(
      /^ {2}- 100 workers make 286 images a second, and 1,389 come: .* --concurrency of 487 or more\.$/m,
    );
    const slow = await run(['--units-per-hour', '9', '--ms', '2000', '--batch', '10']);
    expect(slow.stdout).toMatch(
      /^ {2}- A batch takes 16 min 40 s, and Lambda stops a function after 15 min/m,
    );
  });

  it('gives workers as much memory as lets one stack do it, and says so where --memory is not enough', async () => {
    const load = ['--units-per-hour', '1000000', '--images', '15', '--ms', '350'];
    const [enough, small] = await Promise.all([run(load), run([...load, '--memory', '1769'])]);
    expect(enough.stdout).toMatch(/^ {2}deploy with "workerMaxConcurrency": 912, "workerMemoryMb": 3538, /m);
    expect(small.stdout).toMatch(/^ {2}beyond one stack: "workerMemoryMb": 3538 \(--memory\), or 2 stacks/m);
    expect(small.stdout).toMatch(/^ {2}- 1,000 workers make 2,857 .*only grows\. It is beyond one stack: /m);
    expect(small.stdout).not.toMatch(/deploy with|poller/);
  });

  it('says of little no more than there is to say', async () => {
    const [one, none] = await Promise.all(
      ['1', '0'].map((backlog) => run(['--units-per-hour', '1', '--ms', '9', '--backlog', backlog])),
    );
    expect(one?.stdout).toMatch(/^ {2}1 unit that waits is done in [\d.]+ s, or in/m);
    expect(none?.stdout).not.toMatch(/units? that waits? (is|are) |\b0\.0 s/);
  });

  it('marks what has to be given, and shows what is taken otherwise', async () => {
    const { stdout } = await run(['--help']);
    const help = stdout.replace(/\n {29}/g, ' ');
    expect(help).toMatch(/--units-per-hour <n> .*\(required\)$/m);
    expect(help).toMatch(/--source-kb <n> .*\(default: 2600, or that of --photos\)$/m);
    expect(help).toMatch(/--variant-kb <n> .*\(default: 71, or that of --photos\)$/m);
    expect(help).toMatch(/--backlog <units> .*\(by default those of an hour\)$/m);
  });

  it('refuses what it cannot plan for, and says why', async () => {
    const empty = await temporaryFolder();
    const wrong: [string[], RegExp][] = [
      [[], /^error: required option '--units-per-hour <n>' not specified$/m],
      [['--unit-per-hour', '9'], /^error: unknown option '--unit-per-hour'\n.*--units-per-hour/],
      [[...MILLION, '--batch', '11'], /--batch.*whole number from 1 to 10/],
      [[...MILLION, '--photos', empty], /not both/],
      [['--units-per-hour', '9', '--photos', empty], /has no photographs/],
      [['--units-per-hour', '9', '--photos', join(empty, 'no')], /cannot be read/],
    ];
    const ended = await Promise.all(wrong.map(([args]) => run(args)));
    ended.forEach(({ status, stdout, stderr }, index) => {
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(wrong[index]?.[1] ?? /never/);
    });
  });

  it('knows the bounds of each option', () => {
    const wrong: [string[], RegExp][] = [
      [['--units-per-hour', '0'], /whole number from 1 to 1,000,000,000/],
      [['--units-per-hour', '1e6'], /whole number/],
      [[...MILLION, '--images', '2.5'], /whole number from 1 to 1,000/],
      [[...MILLION, '--memory', '511'], /whole number from 512 to 10,240/],
      [[...MILLION, '--concurrency', '1'], /whole number from 2 to 1,000/],
      [[...MILLION, '--purged', '100.1'], /a number from 0 to 100/],
      [[...MILLION, '--ms', '0'], /a number from 0\.001 to 900,000/],
      [[...MILLION, '--egress-usd-per-gb', 'free'], /a number from 0 to 1,000/],
    ];
    for (const [args, complaint] of wrong) {
      const command = addPlanOptions(new Command())
        .exitOverride()
        .configureOutput({ writeErr: () => {} });
      expect(() => command.parse(args, { from: 'user' })).toThrow(complaint);
    }
  });
});
