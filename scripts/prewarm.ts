import { Command } from 'commander';
import { openLineInput } from './cli/input.ts';
import { numberWithin, wholeNumber } from './cli/options.ts';
import { type LineOutput, openLineFile, standardOutput } from './cli/output.ts';
import { readEnvironment } from './cli/unit-session.ts';
import { runPrewarm } from './prewarm/run.ts';
import { createUnitSelection } from './prewarm/unit-selection.ts';

interface PrewarmOptions {
  id?: string;
  images?: string;
  retry?: true;
  report?: string;
  json?: true;
  wait?: true;
  patience: number;
  perHost?: number;
  mobileUsdPerGb: number;
}

/** Longer than the longest job takes: it may hold up all others. */
const PATIENCE_SECONDS = 900;

/** `prewarm`: makes the variants of data units before they are requested, and reports the outcome of each image. */
export function prewarmCommand(): Command {
  return new Command('prewarm')
    .description('make the variants of data units before anyone asks for them, and name every broken image')
    .argument('<file...>', 'NDJSON, a unit a line: {"id": "…", "images": ["url", …]}; - is standard input')
    .option('--id <jmespath>', 'where in a line the id is')
    .option(
      '--images <jmespath>',
      'where in a line the URLs are: a list, an object of name → URL, or one URL',
    )
    .option('--retry', 'try again what is remembered as broken')
    .option('--report <file>', 'write NDJSON, a line an image')
    .option('--json', 'print the same')
    .option('--wait', 'where QUEUE is an SQS queue: follow the units until they are done')
    .option(
      '--patience <seconds>',
      'with --wait: give up after this time without any change',
      wholeNumber,
      PATIENCE_SECONDS,
    )
    .option('--per-host <n>', 'concurrent fetches from one host', wholeNumber)
    .option(
      '--mobile-usd-per-gb <usd>',
      'what a GB costs a contractor, for the figures at the end',
      numberWithin(0, 1000),
      2,
    )
    .addHelpText(
      'after',
      '\nEnds with 0 when all is ready, 2 when images are broken or lines refused, 1 when it could not do its work.' +
        '\nRunning it again does only what is missing.',
    )
    .action(prewarm);
}

async function prewarm(files: readonly string[], options: PrewarmOptions): Promise<void> {
  const config = readEnvironment();
  const toUnit = createUnitSelection(options, config);
  const input = await openLineInput(files);
  const outputs: LineOutput[] = options.json ? [standardOutput()] : [];
  if (options.report !== undefined) outputs.push(await openLineFile('--report', options.report, input));
  // A progress bar would be drawn between the lines when both go to one terminal.
  const isMixed = options.json === true && process.stdout.isTTY;
  process.exitCode = await runPrewarm({
    ...{ config, input, toUnit, outputs },
    isLive: process.stderr.isTTY && !isMixed,
    retry: options.retry === true,
    wait: options.wait === true,
    patienceMs: 1000 * options.patience,
    mobileUsdPerGb: options.mobileUsdPerGb,
    ...(options.perHost !== undefined && { fetchesPerHost: options.perHost }),
  });
}
