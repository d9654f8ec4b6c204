import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { Effort } from '../../src/encode/encoder.ts';
import { TIER_QUALITY } from '../../src/encode/tier-quality.ts';
import { FORMATS, type Format, TIERS, type Tier } from '../../src/protocol/request.ts';
import { drawContactSheet, type Pair } from './bytes/contact-sheet.ts';
import { type Measurement, measure } from './bytes/measure.ts';
import { methodsFor } from './bytes/methods.ts';
import { drawPlot } from './bytes/plot.ts';
import { formatTable, summarise } from './bytes/summary.ts';
import { print } from './harness/measurements.ts';
import { readSources } from './harness/sources.ts';

interface BytesOptions {
  width: number;
  effort: Effort[];
  formats: Format[];
  tiers: Tier[];
  optimum?: true;
  json?: true;
  out: string;
}

/** How many pairs the contact sheet shows. */
const WORST_PAIRS = 12;

export function bytesCommand(): Command {
  return new Command('bytes')
    .description(
      'measure bytes and scores of the images of a folder in each tier and format, next to those of peers',
    )
    .argument('<folder>')
    .option('--width <pixels>', 'the width of the variants', Number, 1080)
    .addOption(listOption('--effort <effort...>', 'which efforts', ['fast', 'best'] as const))
    .addOption(listOption('--formats <format...>', 'which formats', FORMATS))
    .addOption(listOption('--tiers <tier...>', 'which tiers', TIERS))
    .option('--optimum', 'try every quality too, which takes minutes per image')
    .option('--json', 'print one line per encode instead of the table')
    .option('--out <folder>', 'the folder for the plot and the contact sheet', 'bench-bytes')
    .action(compareBytes);
}

/** An option that takes several of these values; all of them by default. */
function listOption<T extends string>(flags: string, description: string, values: readonly T[]): Option {
  return new Option(flags, description).choices(values).default([...values], values.join(' '));
}

/** Bytes and scores of the images of a folder in each tier and format: `fast`, `best`, peers, and optionally the optimum. */
async function compareBytes(
  folder: string,
  { width, effort, formats, tiers, optimum, json, out }: BytesOptions,
): Promise<void> {
  const sources = await readSources(folder);
  const methods = methodsFor({ efforts: effort, formats, tiers, optimum: optimum === true });
  const measurements: Measurement[] = [];
  let worst: Pair[] = [];
  await measure(sources, methods, width, (measurement, body, original) => {
    measurements.push(measurement);
    if (json) print(JSON.stringify(measurement));
    process.stderr.write(`\r${measurements.length} of ${sources.length * methods.length} `);
    if (measurement.tier === undefined) return;
    worst = [...worst, { measurement, body, original }].sort(byScoreAboveTarget).slice(0, WORST_PAIRS);
  });
  process.stderr.write('\n');
  const summaries = summarise(measurements);
  if (!json) print(...formatTable(summaries, sources.length));
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'bytes.ndjson'), measurements.map((one) => `${JSON.stringify(one)}\n`).join(''));
  writeFileSync(join(out, 'plot.svg'), drawPlot(measurements, summaries, sources.length));
  writeFileSync(join(out, 'worst.svg'), await drawContactSheet(worst));
  process.stderr.write(`${join(out, 'plot.svg')}, worst.svg and bytes.ndjson are written\n`);
}

/** Sorts the pairs that are furthest below the target of their tier first. */
function byScoreAboveTarget({ measurement: one }: Pair, { measurement: other }: Pair): number {
  return (
    one.score -
    TIER_QUALITY[one.tier as Tier].targetScore -
    (other.score - TIER_QUALITY[other.tier as Tier].targetScore)
  );
}
