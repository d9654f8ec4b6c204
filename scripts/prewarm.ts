import { Command } from 'commander';
import { createS3Client } from '../src/store/s3-client.ts';
import { addExamples } from './cli/examples.ts';
import { openLineInput } from './cli/input.ts';
import { numberWithin, wholeNumber } from './cli/options.ts';
import { type LineOutput, openLineFile, standardOutput } from './cli/output.ts';
import { isS3Name } from './cli/s3-input.ts';
import { readEnvironment } from './cli/unit-session.ts';
import { openInventories } from './prewarm/inventory/open-inventories.ts';
import { runPrewarm } from './prewarm/run.ts';
import { createUnitSelection } from './prewarm/unit-selection.ts';

interface PrewarmOptions {
  id?: string;
  images?: string;
  unitOf?: string;
  baseUrl?: string;
  retry?: true;
  report?: string;
  summary?: string;
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
  const command = new Command('prewarm')
    .description('make the variants of data units before they are requested, and report every broken image')
    .argument(
      '<file...>',
      'NDJSON, one unit per line: {"id": "…", "images": ["url", …]}; a JSON array of units; or CSV with a header: id,image_url. Also compressed with gzip or zstd; - is standard input, s3://bucket/units/*.jsonl objects in S3; s3://bucket/…/manifest.json an S3 Inventory of images',
    )
    .option('--id <jmespath>', 'where to find the id in a line')
    .option(
      '--images <jmespath>',
      'where to find the URLs in a line: a list, an object of name → URL, or one URL',
    )
    .option(
      '--unit-of <regex>',
      'of an S3 Inventory: a pattern of keys with a group named id, and perhaps name and group (default: the folder is the id)',
    )
    .option('--base-url <url>', 'of an S3 Inventory: fetch the images from this URL and not from S3')
    .option('--retry', 'try sources with a cached failure again')
    .option('--report <file>', 'write NDJSON to this file, one line per image')
    .option('--summary <file>', 'write a summary in JSON to this file at the end')
    .option('--json', 'print the same lines to standard output')
    .option('--wait', 'with an SQS queue: follow the units until they are done')
    .option(
      '--patience <seconds>',
      'with --wait: give up after this time without progress',
      wholeNumber,
      PATIENCE_SECONDS,
    )
    .option('--per-host <n>', 'concurrent fetches from one host', wholeNumber)
    .option(
      '--mobile-usd-per-gb <usd>',
      'price of a GB of mobile data, for the summary',
      numberWithin(0, 1000),
      2,
    )
    .addHelpText(
      'after',
      '\nExit status: 0 when all images are ready, 2 when images are broken or lines refused, 1 when it could not do its work.' +
        '\nA further run makes only what is missing.',
    )
    .action(prewarm);
  return addExamples(command, [
    ['edgepress prewarm units.jsonl --report report.jsonl', 'a file; the report has a line for each image'],
    ['edgepress prewarm units.csv.gz --id item_id --images photo_url', 'CSV with columns of other names'],
    [
      'edgepress prewarm "s3://my-bucket/units/*.jsonl" --wait --json',
      'objects in S3, by way of an SQS queue',
    ],
  ]);
}

async function prewarm(files: readonly string[], options: PrewarmOptions): Promise<void> {
  const config = readEnvironment();
  const selection = createUnitSelection(options, config);
  const client = files.some(isS3Name) ? createS3Client({ endpoint: config.s3Endpoint }) : undefined;
  const input = await openInventories(await openLineInput(files, client), client, options, config);
  const outputs: LineOutput[] = options.json ? [standardOutput()] : [];
  if (options.report !== undefined) outputs.push(await openLineFile('--report', options.report, input));
  const summary =
    options.summary === undefined ? undefined : await openLineFile('--summary', options.summary, input);
  // A progress bar would be drawn between the lines when both go to one terminal.
  const isMixed = options.json === true && process.stdout.isTTY;
  process.exitCode = await runPrewarm({
    ...{ config, input, selection, outputs },
    isLive: process.stderr.isTTY && !isMixed,
    retry: options.retry === true,
    wait: options.wait === true,
    patienceMs: 1000 * options.patience,
    mobileUsdPerGb: options.mobileUsdPerGb,
    ...(summary && { summary }),
    ...(options.perHost !== undefined && { fetchesPerHost: options.perHost }),
  });
}
