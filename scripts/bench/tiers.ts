import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { TIER_QUALITY } from '../../src/encode/tier-quality.ts';
import { print, sum } from './harness/measurements.ts';
import {
  ENCODERS,
  type Measured,
  measureAll,
  type Setting,
  type Summary,
  summarise,
} from './tiers/measure.ts';

const BASELINE: Setting = { encoder: 'jpeg', quality: 90 };

/** Qualities to measure first, in steps; the ones between are measured only around the quality of a tier. */
const SEARCHES = [
  { encoder: 'avif', from: 36, to: 84, step: 4 },
  { encoder: 'webp', from: 45, to: 95, step: 5 },
  { encoder: 'mozjpeg', from: 40, to: 94, step: 6 },
] as const;

interface TiersOptions {
  width: number;
  setting: Setting[];
  json?: true;
}

interface Row extends Summary {
  tier?: string;
  ofJpeg90: number;
  ofSources: number;
}

type Results = Map<string, Measured>;

export function tiersCommand(): Command {
  return new Command('tiers')
    .description(
      'find the lowest encoder quality at which nine images in ten reach the SSIMULACRA2 score of a tier',
    )
    .argument('<folder>', 'of JPEG, PNG, WebP or AVIF images')
    .option('--width <px>', 'the maximum width of an image', readWidth, 1080)
    .option('--setting <encoder=quality>', 'measure this too; repeatable', addSetting, [])
    .option('--json', 'print NDJSON: a line per setting measured, then one per tier and encoder')
    .action(findTierQualities);
}

/** The lowest quality of each encoder that reaches the score of each tier, with the bytes against JPEG 90 and the sources. */
async function findTierQualities(folder: string, options: TiersOptions): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp|avif)$/i.test(name)).sort();
  const files = names.map((name) => join(folder, name));
  if (files.length === 0) throw new Error(`no JPEG, PNG, WebP or AVIF in ${folder}`);
  const results: Results = new Map();
  const measure = (settings: Setting[]) => addMeasured(results, settings, files, options.width);

  const coarse = SEARCHES.flatMap(({ encoder, from, to, step }) =>
    qualities(from, to, step).map((quality) => ({ encoder, quality })),
  );
  await measure([BASELINE, ...options.setting, ...coarse]);
  await measure(
    lowestQualities(results).flatMap(({ encoder, quality, step }) =>
      qualities(quality - step + 1, quality - 1, 1).map((between) => ({ encoder, quality: between })),
    ),
  );
  const choices = lowestQualities(results);

  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const sourceBytes = sum(sizes);
  const jpegBytes = summaryOf(results, BASELINE).bytes;
  const rowOf = (setting: Setting): Row => {
    const summary = summaryOf(results, setting);
    return { ...summary, ofJpeg90: summary.bytes / jpegBytes, ofSources: summary.bytes / sourceBytes };
  };
  const rows = [...results.values()].sort(byEncoderAndQuality).map(rowOf);
  const chosen = choices.map(({ tier, ...setting }) => ({ tier, ...rowOf(setting) }));
  if (options.json) print(...[...rows, ...chosen].map((row) => JSON.stringify(row)));
  else print(...formatTable(rows, chosen, files.length));
}

/** Measures the settings that are not measured yet. */
async function addMeasured(
  results: Results,
  settings: Setting[],
  files: string[],
  width: number,
): Promise<void> {
  const missing = new Map(settings.map((setting) => [keyOf(setting), setting]));
  for (const key of results.keys()) missing.delete(key);
  const measured = await measureAll(files, width, [...missing.values()], (done) =>
    process.stderr.write(`\r${missing.size} settings: ${done} of ${files.length} images`),
  );
  process.stderr.write('\n');
  for (const one of measured) results.set(keyOf(one), one);
}

/** The lowest measured quality that reaches each tier with each encoder, where there is one. */
function lowestQualities(results: Results): (Setting & { tier: string; step: number })[] {
  const rising = [...results.values()].sort(byEncoderAndQuality).map(summarise);
  return SEARCHES.flatMap(({ encoder, step }) =>
    Object.entries(TIER_QUALITY).flatMap(([tier, { targetScore: target }]) => {
      const first = rising.find((one) => one.encoder === encoder && one.p10 >= target);
      return first ? [{ tier, encoder, quality: first.quality, step }] : [];
    }),
  );
}

function formatTable(rows: Row[], chosen: Row[], images: number): string[] {
  const head = 'tier      encoder  quality     p5    p10  median       bytes  of JPEG 90  of sources';
  const line = (row: Row) =>
    [
      (row.tier ?? '').padEnd(9),
      row.encoder.padEnd(8),
      String(row.quality).padStart(7),
      ...[row.p5, row.p10].map((value) => value.toFixed(1).padStart(6)),
      row.median.toFixed(1).padStart(7),
      String(row.bytes).padStart(11),
      row.ofJpeg90.toFixed(3).padStart(11),
      row.ofSources.toFixed(4).padStart(11),
    ].join(' ');
  const tiers = SEARCHES.flatMap(({ encoder }) =>
    Object.keys(TIER_QUALITY).map((tier) => `${tier} with ${encoder}`),
  );
  const reached = new Set(chosen.map(({ tier, encoder }) => `${tier} with ${encoder}`));
  const unreached = tiers.filter((tier) => !reached.has(tier)).map((tier) => `not reached: ${tier}`);
  const meaning = 'p5, p10, median: the highest score that at least 95%, 90%, 50% of the images reach';
  return [
    `${images} images. ${meaning}.`,
    head,
    ...rows.map(line),
    '',
    head,
    ...chosen.map(line),
    ...unreached,
  ];
}

function summaryOf(results: Results, setting: Setting): Summary {
  const measured = results.get(keyOf(setting));
  if (!measured) throw new Error(`${keyOf(setting)} was not measured`);
  return summarise(measured);
}

function keyOf({ encoder, quality }: Setting): string {
  return `${encoder}=${quality}`;
}

function byEncoderAndQuality(a: Setting, b: Setting): number {
  return a.encoder.localeCompare(b.encoder, 'en') || a.quality - b.quality;
}

function qualities(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
}

function readWidth(text: string): number {
  const width = Number(text);
  if (!Number.isInteger(width) || width < 1)
    throw new InvalidArgumentError('must be a whole number of pixels');
  return width;
}

function addSetting(text: string, earlier: Setting[]): Setting[] {
  const [name, quality] = text.split('=');
  const encoder = Object.keys(ENCODERS).find((known) => known === name) as Setting['encoder'] | undefined;
  if (!encoder || !/^[1-9][0-9]?$|^100$/.test(quality ?? '')) {
    throw new InvalidArgumentError(`must be ${Object.keys(ENCODERS).join(', ')}, then = and 1 to 100`);
  }
  return [...earlier, { encoder, quality: Number(quality) }];
}
