import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { EFFORTS, type Effort } from '../../src/encode/encoder.ts';
import { FORMATS, type Format, TIERS, type Tier } from '../../src/protocol/request.ts';
import { print } from './harness/measurements.ts';
import { readSources } from './harness/sources.ts';
import { makeOriginals } from './small-originals/make-originals.ts';
import { type Answer, measureAnswers } from './small-originals/measure.ts';
import { formatTable, isLarger } from './small-originals/summary.ts';

interface SmallOriginalsOptions {
  widths: string[];
  effort: Effort[];
  formats: Format[];
  tiers: Tier[];
  every: number;
  json?: true;
  save?: string;
}

export function smallOriginalsCommand(): Command {
  return new Command('small-originals')
    .description(
      'make originals that were compressed hard, as messengers do, and compare the bytes of their variants with theirs',
    )
    .argument('<folder>', 'of photographs')
    .option('--widths <pixels...>', 'the widths of the variants', ['480', '1080', '1600'])
    .addOption(listOption('--effort <effort...>', EFFORTS, EFFORTS))
    .addOption(listOption('--formats <format...>', FORMATS, FORMATS))
    .addOption(listOption('--tiers <tier...>', TIERS, ['balanced', 'high']))
    .option('--every <n>', 'take only one original in so many', Number, 1)
    .option('--json', 'print one line per answer instead of the table')
    .option('--save <folder>', 'write the originals to a folder')
    .action(measureSmallOriginals);
}

function listOption<T extends string>(flags: string, values: readonly T[], chosen: readonly T[]): Option {
  return new Option(flags).choices(values).default([...chosen], chosen.join(' '));
}

/** Ends with 1 if an answer is larger than an original that the client displays. */
async function measureSmallOriginals(
  folder: string,
  { widths, effort: efforts, formats, tiers, every, json, save }: SmallOriginalsOptions,
): Promise<void> {
  const made = await makeOriginals(await readSources(folder, 1));
  if (save) saveOriginals(save, made);
  const originals = made.filter((_, index) => index % every === 0);
  const requests = { widths: widths.map(Number), formats, tiers, efforts };
  const answers: Answer[] = [];
  const total = originals.length * widths.length * formats.length * tiers.length * efforts.length;
  await measureAnswers(originals, requests, (answer) => {
    answers.push(answer);
    if (json) print(JSON.stringify(answer));
    process.stderr.write(`\r${answers.length} of ${total} `);
  });
  process.stderr.write('\n');
  if (!json) print(`${originals.length} originals`, ...formatTable(answers));
  if (answers.some(isLarger)) process.exitCode = 1;
}

function saveOriginals(folder: string, originals: Awaited<ReturnType<typeof makeOriginals>>): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, body } of originals) writeFileSync(join(folder, name.replaceAll(' ', '--')), body);
}
