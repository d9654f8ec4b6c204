import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addPlanOptions } from '../../scripts/plan/options.ts';
import { runCommandInProcess } from '../support/command.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { figuresIn } from '../support/plan/figures.ts';

const runPlan = (args: readonly string[], env: Record<string, string> = {}) =>
  runCommandInProcess(['plan', ...args], env);

const REGION = ['--region', 'us-east-1'];
const MILLION = ['--units-per-hour', '1000000', '--images', '5', '--ms', '350', '--fetch-ms', '0', ...REGION];
const FIFTEEN_MILLION_IMAGES = [...MILLION, '--images', '15'];

describe('edgepress plan', () => {
  it('prints a summary, then every section of figures with their formulas, and the prices', async () => {
    const { status, stdout, stderr } = await runPlan(MILLION);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^1,000,000 units of 5 images an hour: 1,389 images a second\n {2}487 workers at work, 608 at most/,
    );
    expect(stdout.split('\n')[2]).toBe(
      '  deploy with "workerMaxConcurrency": 608, "workerMemoryMb": 1769, "workerBatchSize": 2',
    );
    expect(stdout).toMatch(/^ {2}1,000,000 units in the backlog are done in/m);
    expect(stdout).toMatch(/: S3: reads a second \(grows by itself: start slowly\)$/m);
    expect(stdout).toMatch(/^ {2}busy vCPUs +486 {2}= 1,389 images\/s × 0\.35 s$/m);
    expect(stdout).toMatch(/^ {2}workers needed +487 {2}= ⌈486⌉$/m);
    expect(stdout).not.toMatch(/486 workers|0\.0 s|1 months/);
    expect(stdout).toMatch(
      /^ {2}compute +\$40\.31 +\$8\.06 +\$29,426 {2}= 5,000,000 images × 0\.35 s .* × \$0\.0000133334$/m,
    );
    expect(stdout).toMatch(/^ {2}purging them costs +44\.\d+ times {2}= \$5,000 ÷ \$112$/m);
    expect(stdout).toMatch(/^Prices \(us-east-1, November 2026\)$/m);
    for (const title of ['Load', 'Workers', 'Queue', 'Store', 'CDN and views', 'Purges', 'Time', 'Cost'])
      expect(stdout.split('\n')).toContain(title);
  });

  it('prints the same figures with --json as in the text', async () => {
    const [text, json] = [await runPlan(MILLION), await runPlan([...MILLION, '--json'])];
    // Efforts and flat-rate plans are tables in the text, with the formula of each column.
    const { effort, flatRates, ...plan } = JSON.parse(json.stdout);
    expect(plan.workers.busyVcpus).toEqual({
      label: 'busy vCPUs',
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
    const figures = figuresIn(plan);
    expect(figures.length).toBeGreaterThan(60);
    for (const { label, arithmetic, value } of figures) {
      const reason = arithmetic.replace(`${value.toLocaleString('en')}, `, '');
      expect(text.stdout).toContain(reason);
      expect(text.stdout).toContain(label === 'executions' ? '' : `  ${label} `);
    }
    expect(figuresIn(effort).length).toBeGreaterThan(40);
    expect(figuresIn(flatRates).length).toBe(13);
  });

  it('plans for the variants and the effort of the stack', async () => {
    const variants = ['prewarmWidths=480,1080', 'prewarmFormats=avif', 'prewarmTiers=high'];
    const options = [...variants, 'prewarmEffort=fast'].flatMap((option) => ['-c', `edgepress.${option}`]);
    const { stdout } = await runPlan(['--units-per-hour', '1000', ...REGION, ...options, '--json']);
    const { given, load, effort } = JSON.parse(stdout);
    expect(given.wanted).toEqual({ widths: [480, 1080], tiers: ['high'], formats: ['avif'] });
    // 150 ms + (510 − 150) ms × (1 + (480 ÷ 1,080)²) ÷ 2 formats
    expect(given.msPerImage).toBe(366);
    expect(load.variantsPerImage.value).toBe(2);
    expect(effort.score).toBe(80);
  });

  it('plans without any option for as many units as the workers of the stack make', async () => {
    const { status, stdout } = await runPlan(REGION);
    expect(status).toBe(0);
    // 100 workers ÷ (1.8 s + 0.5 s ÷ 100 images) × 3,600 s ÷ 5 images
    expect(stdout).toMatch(
      /^39,889 units of 5 images an hour: 55\.4 images a second\n {2}100 workers at work/,
    );
    expect(stdout).not.toMatch(/^Warnings$/m);
  });

  it('plans with the containers of the stack', async () => {
    const { stdout } = await runPlan([...REGION, '-c', 'edgepress.fargateMaxTasks=25']);
    expect(stdout).toMatch(/\n {2}25 containers at work, 25 at most, beside 2 worker functions; /);
    expect(stdout).toMatch(/ to make a million images on Fargate Spot, /);
    expect(stdout).not.toMatch(/^Warnings$/m);
  });

  it('warns where the options of the stack are less than the load needs', async () => {
    const { stdout } = await runPlan(MILLION);
    expect(stdout).toMatch(
      /^ {2}- The options of the stack have "workerMaxConcurrency": 100, and the plan 608/m,
    );
  });

  it('says which prices of a region were not found, and what stands for them', async () => {
    const { stdout } = await runPlan(['--region', 'af-south-1']);
    expect(stdout).toMatch(
      / a GB taken in by CloudWatch Logs, .* not found for af-south-1: that of us-east-1$/m,
    );
    expect(stdout).toMatch(
      /^ {2}- Of af-south-1 these prices were not found, and those of us-east-1 are taken: /m,
    );
    expect(stdout).toMatch(/^ +\$6\.00 +a million puts or lists of S3/m);
  });

  it('adapts to an account that may run 10 functions at a time', async () => {
    const { stdout } = await runPlan(['--units-per-hour', '10000', '--executions', '10', ...REGION]);
    expect(stdout).toMatch(/^ {2}deploy with "workerMaxConcurrency": 5, /m);
    expect(stdout).toMatch(/and an account with more than 10 concurrent executions: deploy:check says how/);
  });

  it('fails on invalid options of the stack and names them', async () => {
    expect(await runPlan([...REGION, '-c', 'edgepress.prewarmWidths=wide'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/prewarmWidths: /),
    });
  });

  it('measures the photographs of --photos, takes their sizes, and leaves out what is not an image', async () => {
    const folder = await temporaryFolder();
    const photo = await photograph();
    await writeFile(join(folder, 'a.jpg'), photo);
    await writeFile(join(folder, 'b.jpg'), 'no image');
    await writeFile(join(folder, 'notes.txt'), 'nothing');
    const small = ['-c', 'edgepress.prewarmWidths=160', '-c', 'edgepress.workerMaxConcurrency=1000'];
    const args = ['--units-per-hour', '1000', '--photos', folder, '--variant-kb', '9', '--json'];
    const { status, stdout, stderr } = await runPlan([...args, ...small, ...REGION]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/Skipping b\.jpg: /);
    const { given, measurement, warnings } = JSON.parse(stdout);
    expect(given).toMatchObject({ sourceKb: photo.length / 1000, variantKb: 9 });
    expect(measurement).toMatchObject({ failed: 1, photographs: [{ name: 'a.jpg', bytes: photo.length }] });
    expect(given.msPerImage).toBeCloseTo(measurement.meanCpuMs + 60, 6);
    expect(warnings).toEqual([]);
  });

  it('warns when --concurrency allows too few workers to keep up', async () => {
    const { stdout } = await runPlan([...MILLION, '--concurrency', '100']);
    expect(stdout).toMatch(
      /^ {2}1,000,000 units in the backlog are done in .*, or never, while as many arrive$/m,
    );
    expect(stdout).toMatch(
      /^ {2}- 100 workers make 286 images a second, and 1,389 arrive: .* --concurrency of 487 or more\.$/m,
    );
  });

  it('warns when a batch takes longer than Lambda lets a function run', async () => {
    const { stdout } = await runPlan([
      '--units-per-hour',
      '9',
      '--ms',
      '2000',
      '--batch',
      '10',
      '--fetch-ms',
      '0',
      ...REGION,
    ]);
    expect(stdout).toMatch(/^ {2}- A batch takes 16 min 40 s, and Lambda stops a function after 15 min/m);
  });

  it('gives workers the memory with which one stack is enough', async () => {
    const { stdout } = await runPlan(FIFTEEN_MILLION_IMAGES);
    expect(stdout).toMatch(/^ {2}deploy with "workerMaxConcurrency": 912, "workerMemoryMb": 3538, /m);
  });

  it('suggests more memory or more stacks where --memory is too little for one stack', async () => {
    const { stdout } = await runPlan([...FIFTEEN_MILLION_IMAGES, '--memory', '1769']);
    expect(stdout).toMatch(/^ {2}beyond one stack: "workerMemoryMb": 3538 \(--memory\), or 2 stacks/m);
    expect(stdout).toMatch(/^ {2}- 1,000 workers make 2,857 .*only grows\. It is beyond one stack: /m);
    expect(stdout).not.toMatch(/deploy with|poller/);
  });

  it('uses the singular for a backlog of one unit', async () => {
    const { stdout } = await runPlan([...REGION, '--units-per-hour', '1', '--ms', '9', '--backlog', '1']);
    expect(stdout).toMatch(/^ {2}1 unit in the backlog is done in [\d.]+ s, or in/m);
  });

  it('does not mention a backlog of nothing', async () => {
    const { stdout } = await runPlan([...REGION, '--units-per-hour', '1', '--ms', '9', '--backlog', '0']);
    expect(stdout).not.toMatch(/units? in the backlog (is|are) |\b0\.0 s/);
  });

  it('shows in the help what is taken where an option is not given', async () => {
    const { stdout } = await runPlan(['--help']);
    const help = stdout.replace(/\n {28,30}(?! )/g, ' ');
    expect(help).toMatch(
      /--units-per-hour <n> .*\(default: as many as the workers of the stack's options make\)$/m,
    );
    expect(help).toMatch(/--source-kb <n> .*\(default: 2600, or that of --photos\)$/m);
    expect(help).toMatch(/--variant-kb <n> .*\(default: 71, or that of --photos\)$/m);
    expect(help).toMatch(/--backlog <units> .*\(default: those of an hour, if a load is given\)$/m);
  });

  it.each<[name: string, args: (folder: string) => string[], error: RegExp]>([
    ['shares of viewers that are not a whole', () => ['--viewers', 'us=60,eu=30'], /must add up to 100/],
    ['an area that CloudFront has no prices for', () => ['--viewers', 'xx=100'], /AREA is one of us, eu,/],
    [
      'a region that is none',
      () => ['--region', 'mars'],
      /the region mars .*must be one of us-east-1, .*eu-central-1/,
    ],
    ['a region in which the stack cannot be', () => ['--region', 'ca-west-1'], /no Lambda function URLs/],
    [
      '--simulate with containers',
      () => ['--simulate', '-c', 'edgepress.fargateMaxTasks=2', ...REGION],
      /workers on Lambda only/,
    ],
    [
      'a misspelt option, with a suggestion',
      () => ['--unit-per-hour', '9'],
      /^error: unknown option '--unit-per-hour'\n.*--units-per-hour/,
    ],
    ['a number out of bounds', () => [...MILLION, '--batch', '11'], /--batch.*whole number from 1 to 10/],
    ['--ms with --photos', (folder) => [...MILLION, '--photos', folder], /not both/],
    [
      'a folder without photographs',
      (folder) => ['--units-per-hour', '9', '--photos', folder],
      /has no photographs/,
    ],
    [
      'a folder that does not exist',
      (folder) => ['--units-per-hour', '9', '--photos', join(folder, 'no')],
      /cannot be read/,
    ],
  ])('refuses %s with status 1 and says why', async (_name, args, error) => {
    const { status, stdout, stderr } = await runPlan(args(await temporaryFolder()));
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(error);
  });

  it.each(
    (
      [
        [['--units-per-hour', '0'], /whole number from 1 to 1,000,000,000/],
        [['--units-per-hour', '1e6'], /whole number/],
        [[...MILLION, '--images', '2.5'], /whole number from 1 to 1,000/],
        [[...MILLION, '--memory', '511'], /whole number from 512 to 10,240/],
        [[...MILLION, '--concurrency', '1'], /whole number from 2 to 1,000/],
        [[...MILLION, '--purged', '100.1'], /a number from 0 to 100/],
        [[...MILLION, '--ms', '0'], /a number from 0\.001 to 900,000/],
        [[...MILLION, '--egress-usd-per-gb', 'free'], /a number from 0 to 1,000/],
      ] as [string[], RegExp][]
    ).map(([args, error]) => [args.slice(-2).join(' '), args, error] as const),
  )('refuses %s as out of bounds', (_name, args, error) => {
    const command = addPlanOptions(new Command())
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    expect(() => command.parse(args, { from: 'user' })).toThrow(error);
  });
});
