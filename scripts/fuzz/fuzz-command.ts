import { Command, Option } from 'commander';
import { CommandFailure } from '../cli/command.ts';
import { readFailure } from './failure-file.ts';
import { Finding } from './finding.ts';
import type { Kind } from './kind.ts';
import { httpKind } from './kinds/http.ts';
import { checkSeeds, imagesKind } from './kinds/images.ts';
import { purgeKind, unitsKind } from './kinds/json.ts';
import { messagesKind } from './kinds/messages.ts';
import { readersKind } from './kinds/readers.ts';
import { unitInputsKind } from './kinds/unit-inputs.ts';
import { urlsKind } from './kinds/urls.ts';
import { type RunReport, run } from './run.ts';
import { makeSeedImages, type SeedImage } from './seed-images.ts';
import { startTarget } from './target.ts';

interface FuzzOptions {
  seed: number;
  seconds?: number;
  runs?: number;
  only?: readonly string[];
  replay?: string;
  failures: string;
  server?: string;
}

const DEFAULT_SECONDS = 60;
const KINDS = ['http', 'urls', 'images', 'readers', 'units', 'inputs', 'purge', 'messages'];

/** `npm run fuzz`: sends odd inputs to the running service, and checks that it stays well. Ends with 1 if anything was found. */
export function fuzzCommand(): Command {
  return new Command('fuzz')
    .description(
      'send mutated requests, images and messages to the running service, and check that it stays well',
    )
    .addOption(
      new Option('--seed <n>', 'the same seed makes the same inputs')
        .default(Date.now() % 1e9, 'another one each time')
        .argParser(Number),
    )
    .addOption(new Option('--seconds <n>', 'how long').argParser(Number))
    .addOption(
      new Option('--runs <n>', 'how many inputs, of all kinds together, instead of how long').argParser(
        Number,
      ),
    )
    .addOption(
      new Option('--only <kinds>', `of ${KINDS.join(', ')}; separated by commas`).argParser((value) =>
        value.split(','),
      ),
    )
    .option('--replay <file>', 'send the input of a failure again')
    .option('--failures <folder>', 'where inputs that failed are saved', 'fuzz-failures')
    .addOption(new Option('--server <file>', 'another program to start than the service').hideHelp())
    .action(async (options: FuzzOptions) =>
      options.replay === undefined ? await fuzz(options) : await replay(options.replay, options),
    );
}

/** Kinds of inputs that are made from whole images, which take a while to make. */
const KINDS_OF_IMAGES = ['images', 'readers'];

/** Returns the kinds of these names, and the images that their inputs are made from, if they are made from any. */
async function makeKinds(names: readonly string[]): Promise<{ kinds: Kind[]; seeds: readonly SeedImage[] }> {
  const seeds = names.some((name) => KINDS_OF_IMAGES.includes(name)) ? await makeSeedImages() : [];
  const ofImages = seeds.length > 0 ? [imagesKind(seeds), readersKind(seeds)] : [];
  const all = [httpKind, urlsKind, ...ofImages, unitInputsKind, unitsKind, purgeKind, messagesKind];
  return { kinds: all.filter(({ name }) => names.includes(name)), seeds };
}

async function fuzz(options: FuzzOptions): Promise<void> {
  const { seed, runs, seconds, only = KINDS, failures } = options;
  const unknown = only.find((name) => !KINDS.includes(name));
  if (unknown !== undefined) throw new CommandFailure(`--only: there is no kind ${unknown}`);
  const { kinds, seeds } = await makeKinds(only);
  const target = await startTarget(options.server);
  if (only.includes('images')) await checkSeeds(seeds, target);
  say(`seed ${seed}: ${only.join(', ')}`);
  const ms = 1000 * (seconds ?? (runs === undefined ? DEFAULT_SECONDS : Number.POSITIVE_INFINITY));
  const report = await run(kinds, target, {
    ...{ seed, ms, runs: runs ?? Number.POSITIVE_INFINITY, failures },
    onFailure: ({ kind, finding }, path) =>
      say(`${kind}: ${finding}`, `  again: npm run fuzz -- --replay ${path}`),
    onProgress: ({ inputs, failures: count }) => say(`${inputs} inputs, ${count} failures`),
  });
  printReport(report);
  if (report.failures > 0) process.exitCode = 1;
}

async function replay(file: string, options: FuzzOptions): Promise<void> {
  const failure = await readFailure(file);
  // Of a failure that several may have caused, all are sent.
  const inputs = failure.kind === 'watch' ? (failure.input as { kind: string; input: unknown }[]) : [failure];
  const { kinds } = await makeKinds(inputs.map(({ kind }) => kind));
  const target = await startTarget(options.server);
  for (const { kind: name, input } of inputs) {
    const kind = kinds.find((one) => one.name === name) as Kind;
    const outcome = await kind.send(input, target).catch((error: unknown) => {
      if (!(error instanceof Finding)) throw error;
      process.exitCode = 1;
      return `failed: ${error.message}`;
    });
    say(`${name}: ${outcome}`);
  }
  const bugs = [...target.server.takeBugs(), ...[target.server.exit() ?? []].flat()];
  if (bugs.length > 0) process.exitCode = 1;
  say(...bugs);
  await target.stop();
}

function printReport({
  outcomes,
  inputs,
  failures,
  watch,
  memoryAfterBytes,
  storedObjects,
}: RunReport): void {
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  for (const [kind, counts] of outcomes) {
    const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([outcome, count]) => `${count} ${outcome}`);
    say(`${kind}: ${sorted.join(', ')}`);
  }
  say(
    `${watch.hits} hits of another client meanwhile, the slowest ${Math.round(watch.slowestHitMs)} ms; /healthz ${Math.round(watch.slowestHealthMs)} ms`,
    `memory: ${mebibytes(watch.memoryBeforeBytes)} before, ${mebibytes(watch.peakMemoryBytes)} at most, ${mebibytes(memoryAfterBytes)} after`,
    `${storedObjects} objects in the store, all whole`,
    `${inputs} inputs, ${failures} failures`,
  );
}

function say(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
