import { type Command, InvalidArgumentError, Option } from 'commander';
import { addContextEntry, type Context, numberWithin, wholeNumberWithin } from '../cli/options.ts';
import { ASSUMED_SOURCE_KB, ASSUMED_VARIANT_KB } from './inputs.ts';
import { LIMITS } from './limits.ts';
import { AREA_NAMES, DEFAULT_VIEWERS, type ViewerShares } from './prices.ts';
import { ASSUMED_FETCH_MS } from './waiting.ts';

/** Options of the command. An optional one that is missing is measured or assumed. */
export interface PlanOptions {
  unitsPerHour?: number;
  images: number;
  ms?: number;
  photos?: string;
  sourceKb?: number;
  variantKb?: number;
  memory?: number;
  fetchMs: number;
  batch?: number;
  concurrency?: number;
  views: number;
  cdnHits: number;
  purged: number;
  months: number;
  backlog?: number;
  viewers: ViewerShares;
  egressUsdPerGb?: number;
  mobileUsdPerGb: number;
  region?: string;
  executions: number;
  context?: Context;
  simulate?: true;
  seed: number;
  enqueued: number;
  broken: number;
  earlyViews: number;
  json?: true;
}

/** Adds the options with their bounds and defaults. */
export function addPlanOptions(command: Command): Command {
  const usd = numberWithin(0, 1000);
  return command
    .option(
      '--units-per-hour <n>',
      "data units to ingest an hour (default: as many as the workers of the stack's options make)",
      wholeNumberWithin(1, 1e9),
    )
    .option('--images <n>', 'images a unit', wholeNumberWithin(1, 1000), 5)
    .option(
      '--ms <n>',
      "CPU time of an image with all of its variants, in ms on one vCPU (default: assumed for the effort and the variants of the stack's options)",
      numberWithin(0.001, 900_000),
    )
    .option('--photos <folder>', 'your own originals, to measure the CPU time with')
    .option(
      '--source-kb <n>',
      `size of an original, in KB ${orMeasured(ASSUMED_SOURCE_KB)}`,
      numberWithin(0.001, 1e9),
    )
    .option(
      '--variant-kb <n>',
      `size of a variant, in KB ${orMeasured(ASSUMED_VARIANT_KB)}`,
      numberWithin(0.001, 1e9),
    )
    .option(
      '--memory <mb>',
      "memory of a worker; 1,769 MB is one vCPU (default: that of the stack's options, or the multiple of 1,769 with which one stack can carry the load)",
      wholeNumberWithin(LIMITS.leastMemoryMb, LIMITS.memoryMb),
    )
    .option(
      '--fetch-ms <n>',
      "time to fetch an original from a client's server",
      numberWithin(0, 60_000),
      ASSUMED_FETCH_MS,
    )
    .option(
      '--batch <n>',
      "messages per invocation of a worker (default: that of the stack's options)",
      wholeNumberWithin(1, 10),
    )
    .option(
      '--concurrency <n>',
      'maximum number of concurrent workers (default: a quarter more than the load needs)',
      wholeNumberWithin(2, LIMITS.eventSourceConcurrency),
    )
    .option('--views <n>', 'views of each image', numberWithin(0, 1e6), 3)
    .option(
      '--cdn-hits <percent>',
      'share of the views that the CDN answers without S3',
      numberWithin(0, 100),
      0,
    )
    .option('--purged <percent>', 'share of the units that are purged some day', numberWithin(0, 100), 1)
    .option('--months <n>', 'how long variants are kept', numberWithin(0, 1200), 1)
    .option(
      '--backlog <units>',
      'units that wait at the start (default: those of an hour, if a load is given)',
      wholeNumberWithin(0, 1e9),
    )
    .addOption(
      new Option(
        '--viewers <shares>',
        `where viewers are, in percent, such as us=60,eu=30,in=10 (areas: ${AREA_NAMES.join(', ')})`,
      )
        .argParser(parseViewers)
        .default(DEFAULT_VIEWERS, 'us=100'),
    )
    .option(
      '--egress-usd-per-gb <usd>',
      "a price of a GB out of the CDN that you agreed with AWS (default: CloudFront's tiers where viewers are)",
      usd,
    )
    .option(
      '--mobile-usd-per-gb <usd>',
      'price of a GB of mobile data for contractors, who view the images',
      usd,
      2,
    )
    .addOption(
      new Option('--region <region>', 'of the stack, whose prices count (default: us-east-1)').env(
        'AWS_REGION',
      ),
    )
    .option(
      '--executions <n>',
      'concurrent executions of Lambda that the account may have there; many new accounts have 10',
      wholeNumberWithin(4, 1_000_000),
      LIMITS.concurrentExecutions,
    )
    .option(
      '-c, --context <name=value>',
      'an option of the stack beside those of cdk.json, as for cdk deploy, such as edgepress.prewarmEffort=fast; may be repeated',
      addContextEntry,
    )
    .option('--simulate', 'play the units of an hour, all sent at the start, second by second')
    .option('--seed <n>', 'of the simulation: the same gives the same', wholeNumberWithin(0, 2 ** 32 - 1), 1)
    .option(
      '--enqueued <n>',
      'units that are put on the queue a second in the simulation',
      numberWithin(0.001, 1e6),
      10_000,
    )
    .option('--broken <percent>', 'share of the images that are broken in it', numberWithin(0, 100), 1)
    .option(
      '--early-views <percent>',
      'share of the views that come before their image is made',
      numberWithin(0, 100),
      1,
    )
    .option('--json', 'print one JSON object');
}

function orMeasured(kb: number): string {
  return `(default: ${kb}, or that of --photos)`;
}

/** Parses `us=60,eu=40`. It throws InvalidArgumentError. */
function parseViewers(text: string): ViewerShares {
  const entries = text.split(',').map((part): [string, number] => {
    const [, area = '', percent = ''] = /^([a-z]{2})=(\d{1,3}(?:\.\d+)?)$/.exec(part) ?? [];
    if (!(AREA_NAMES as readonly string[]).includes(area))
      throw new InvalidArgumentError(
        `${part} must be AREA=PERCENT, where AREA is one of ${AREA_NAMES.join(', ')}.`,
      );
    return [area, Number(percent) / 100];
  });
  const total = entries.reduce((sum, [, share]) => sum + share, 0);
  if (new Set(entries.map(([area]) => area)).size < entries.length || Math.abs(total - 1) > 1e-9)
    throw new InvalidArgumentError('The shares must add up to 100, each area once.');
  return Object.fromEntries(entries);
}
