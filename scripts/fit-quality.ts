import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { print } from './bench/harness/measurements.ts';
import { readSources } from './bench/harness/sources.ts';
import { CommandFailure, runCommand } from './cli/command.ts';
import { fitModel } from './fit-quality/fit.ts';
import { type Measured, measurePicture } from './fit-quality/measure.ts';

interface FitOptions {
  widths: number[];
  measured: string;
}

/** Fewer tell nothing about other pictures. */
const MIN_PICTURES = 30;

/**
 * `npm run fit:quality -- FOLDER`: finds the coefficients of `src/encode/quality-model.ts` again. It encodes and scores drafts and
 * final encodes of each picture of a folder, which takes seconds a picture, fits the models, and prints them with what cross-validation
 * says about pictures that were not fitted on.
 */
const program = new Command('fit-quality')
  .description('fit the models that predict encoder qualities for effort `best`')
  .argument('<folder>', 'with a hundred pictures or more: photographs, printed pages, drawings')
  .option('--widths <pixels>', 'each picture is measured at one of these', readNumbers, [320, 400, 480, 640])
  .option(
    '--measured <file>',
    'keeps measurements: what it has already is not measured again',
    'measured.ndjson',
  )
  .action(fitQuality);

await runCommand(program);

async function fitQuality(folder: string, { widths, measured: file }: FitOptions): Promise<void> {
  const measured = readMeasured(file);
  const known = new Set(measured.map(({ picture }) => picture));
  const sources = await readSources(folder);
  for (const [index, { name, bytes }] of sources.entries()) {
    process.stderr.write(`\r${index + 1} of ${sources.length} `);
    if (known.has(name)) continue;
    const width = widths[index % widths.length] as number;
    for (const one of await measurePicture(name, bytes, width)) {
      appendFileSync(file, `${JSON.stringify(one)}\n`);
      measured.push(one);
    }
  }
  process.stderr.write('\n');
  if (measured.length === 0) throw new CommandFailure(`${folder} has no images`);
  for (const model of new Set(measured.map((one) => one.model))) {
    const own = measured.filter((one) => one.model === model);
    if (own.length < MIN_PICTURES) {
      print(`// ${model}: ${own.length} pictures are too few`);
      continue;
    }
    const { fitted, errors } = fitModel(own);
    print(`// ${model}: ${errors}`, `${model}: ${JSON.stringify(fitted)},`);
  }
}

function readMeasured(file: string): Measured[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Measured);
}

function readNumbers(text: string): number[] {
  return text.split(',').map(Number);
}
