import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { Effort } from '../../src/encode/encoder.ts';
import { TARGETS } from '../../src/encode/tier-quality.ts';
import { FORMATS, type Format, TIERS, type Tier } from '../../src/protocol/request.ts';
import { contactSheet, type Pair } from './bytes/contact-sheet.ts';
import { type Measurement, measure } from './bytes/measure.ts';
import { methodsFor } from './bytes/methods.ts';
import { plot } from './bytes/plot.ts';
import { summariseAll, tableOf } from './bytes/summary.ts';
import { readSources } from './sources.ts';

interface Options {
  width: number;
  effort: Effort[];
  formats: Format[];
  tiers: Tier[];
  optimum?: true;
  json?: true;
  out: string;
}

/** Pairs on the contact sheet. */
const WORST = 12;

/** What the images of a folder weigh, and how they look, in each tier and format: `fast`, `best`, what peers send, and the optimum. */
async function run(
  folder: string,
  { width, effort, formats, tiers, optimum, json, out }: Options,
): Promise<void> {
  const sources = await readSources(folder);
  const methods = methodsFor({ efforts: effort, formats, tiers, optimum: optimum === true });
  const measurements: Measurement[] = [];
  let worst: Pair[] = [];
  await measure(sources, methods, width, (measurement, body, original) => {
    measurements.push(measurement);
    if (json) process.stdout.write(`${JSON.stringify(measurement)}\n`);
    process.stderr.write(`\r${measurements.length} of ${sources.length * methods.length} `);
    if (measurement.tier === undefined) return;
    worst = [...worst, { measurement, body, original }].sort(byHowFarItFalls).slice(0, WORST);
  });
  process.stderr.write('\n');
  const summaries = summariseAll(measurements);
  if (!json) process.stdout.write(`${tableOf(summaries, sources.length).join('\n')}\n`);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'bytes.ndjson'), measurements.map((one) => `${JSON.stringify(one)}\n`).join(''));
  writeFileSync(join(out, 'plot.svg'), plot(measurements, summaries, sources.length));
  writeFileSync(join(out, 'worst.svg'), await contactSheet(worst));
  process.stderr.write(`${join(out, 'plot.svg')}, worst.svg and bytes.ndjson: to look at\n`);
}

/** Below the target of the tier, the furthest first. */
function byHowFarItFalls({ measurement: one }: Pair, { measurement: other }: Pair): number {
  return one.score - TARGETS[one.tier as Tier] - (other.score - TARGETS[other.tier as Tier]);
}

const several = <T extends string>(flags: string, what: string, all: readonly T[]) =>
  new Option(flags, what).choices(all).default([...all], all.join(' '));

await new Command('bench:bytes')
  .description('weigh and score the images of a folder in each tier and format, beside what peers send')
  .argument('<folder>')
  .option('--width <pixels>', 'how wide', Number, 1080)
  .addOption(several('--effort <effort...>', 'which efforts', ['fast', 'best'] as const))
  .addOption(several('--formats <format...>', 'which formats', FORMATS))
  .addOption(several('--tiers <tier...>', 'which tiers', TIERS))
  .option('--optimum', 'try every quality too: minutes an image')
  .option('--json', 'a line an encode on standard output, instead of the table')
  .option('--out <folder>', 'where the plot and the contact sheet go', 'bench-bytes')
  .action(run)
  .parseAsync();
