import { Command, Option } from 'commander';
import { createMetric, type Metric } from '../../src/encode/metric.ts';
import { FORMATS, type Format, TIERS } from '../../src/protocol/request.ts';
import { addOptima, type BestMeasurement, measureBest, type Spec, variantPixels } from './best/measure.ts';
import { bestHead, bestRow } from './best/table.ts';
import { print } from './harness/measurements.ts';
import { type BenchSource, readSources } from './harness/sources.ts';

interface BestOptions {
  width: number;
  every: number;
  formats: Format[];
  exhaustive?: true;
  json?: true;
}

/** Variants that are made for themselves, and all variants of each picture that share a still. */
interface Measurements {
  alone: BestMeasurement[];
  together: BestMeasurement[];
}

export function bestCommand(): Command {
  return new Command('best')
    .description(
      'the CPU time, bytes and scores of effort `best`, as ratios to one final encode and to an exhaustive search',
    )
    .argument('<folder>', 'of images from which no coefficient was found')
    .option('--width <pixels>', 'the width of the variants', Number, 1080)
    .option('--every <n>', 'measure one image in n', Number, 1)
    .addOption(
      new Option('--formats <format...>', 'which formats')
        .choices(FORMATS)
        .default([...FORMATS], FORMATS.join(' ')),
    )
    .option('--exhaustive', 'compare with trying every quality, which takes a minute an image')
    .option('--json', 'print one line a measurement instead of the table')
    .action(compareBest);
}

/** `best` next to one final encode of each answer, in one run; optionally next to every quality of every encoding. */
async function compareBest(folder: string, options: BestOptions): Promise<void> {
  const sources = (await readSources(folder)).filter((_, index) => index % options.every === 0);
  const measurements: Measurements = { alone: [], together: [] };
  const metric = createMetric(1);
  await warmUp(metric);
  for (const [index, source] of sources.entries()) {
    await measurePicture(source, options, metric, measurements);
    process.stderr.write(`\r${index + 1} of ${sources.length} `);
  }
  process.stderr.write('\n');
  if (options.json)
    print(
      ...Object.values(measurements)
        .flat()
        .map((one) => JSON.stringify(one)),
    );
  else print(...tableOf(measurements, options.formats));
}

/** Starts the metric's thread, which a server does once. */
async function warmUp(metric: Metric): Promise<void> {
  const image = { data: new Uint8Array(300 * 300 * 3), width: 300, height: 300 };
  const reference = metric.open(image);
  await reference.score(image);
  reference.close();
}

async function measurePicture(
  { name, bytes }: BenchSource,
  { width, formats, exhaustive }: BestOptions,
  metric: Metric,
  { alone, together }: Measurements,
): Promise<void> {
  const pixels = await variantPixels(bytes, width);
  const measure = (specs: readonly Spec[]) => measureBest(name, pixels, metric, specs);
  const specs = formats.flatMap((format) => TIERS.map((tier): Spec => ({ format, tier })));
  const measured: BestMeasurement[] = [];
  for (const spec of specs) measured.push(await measure([spec]));
  const shared = await measure(specs);
  const answers = [...measured, shared].flatMap((one) => one.answers);
  if (exhaustive) await addOptima(pixels, metric, answers);
  alone.push(...measured);
  together.push(shared);
}

function tableOf({ alone, together }: Measurements, formats: readonly Format[]): string[] {
  const classes = [...new Set(alone.map(({ contentClass }) => contentClass))];
  const has = (format: Format, tier?: string) => (one: BestMeasurement) =>
    one.answers.every((answer) => answer.format === format && (tier ?? answer.tier) === answer.tier);
  return [
    ...bestHead(),
    ...formats.flatMap((format) =>
      TIERS.map((tier) => bestRow(`${format} ${tier}, alone`, alone.filter(has(format, tier)))),
    ),
    ...classes.flatMap((one) =>
      formats.map((format) =>
        bestRow(
          `${one}, ${format}, alone`,
          alone.filter(has(format)).filter(({ contentClass }) => contentClass === one),
        ),
      ),
    ),
    ...classes.map((one) =>
      bestRow(
        `${one}, all together`,
        together.filter(({ contentClass }) => contentClass === one),
      ),
    ),
    bestRow('all, alone', alone),
    bestRow('all, together', together),
  ];
}
