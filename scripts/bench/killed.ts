import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { createFileStore } from '../../src/store/file-store.ts';
import { TEMP_FOLDER } from '../../src/store/object-validation.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { wholeNumber } from '../command/number-within.ts';
import { type ClientServer, HOPELESS, LIMITS, serveBrokenSources } from './broken-sources.ts';
import { type CommandEnd, startCommand } from './command-process.ts';
import { compareReport, type ExpectedUnits, expectUnits } from './expected-units.ts';
import { fileFaults, isFinished, variantFaults, WANTED } from './stored-units.ts';
import { readReport, writeUnits } from './unit-files.ts';
import { withFolder } from './work-folder.ts';

const GOOD_IMAGES = 3;
const BROKEN_EVERY = 5;
const CONCURRENCY = 2;
/** How many sources prewarm holds in memory with that many encoders. Beside them only the reasons of failed fetches are stored. */
const SOURCES_IN_HAND = 16;
/** After the fetch that was waited for: by then an image may be decoded, encoded or put. */
const MOST_DELAY_MS = 200;
/** What the dead have asked for arrives within this time. */
const LATE_MS = 50;

/**
 * What may pass by itself is meant to be fetched more than once, and so is what leads where our own rules forbid: a minute later
 * these may be others.
 */
const FETCHED_ONCE = HOPELESS.filter(({ code, answer }) => code !== 'source_forbidden' || !answer);

/** A run that is begun again until it ends by itself. */
interface Run {
  folder: string;
  origin: ClientServer;
  expected: ExpectedUnits;
  store: VariantStore;
  /** Sources of which all was stored at a kill: they must not be fetched any more. */
  finished: Set<string>;
  /** How many images were in hand at the kills so far: each may be fetched once more. */
  inHand: number;
  /** Temporary files that were there at the last kill: the next life sweeps them. */
  litter: ReadonlySet<string>;
  faults: string[];
}

/** What a run leaves that is killed at random moments, against what it was asked for; and what of it was done twice. */
async function run({ units, kills }: { units: number; kills: number }): Promise<void> {
  const origin = await serveBrokenSources();
  try {
    const broken = { brokenEvery: BROKEN_EVERY, ways: FETCHED_ONCE };
    const expected = expectUnits({ origin, units, goodImages: GOOD_IMAGES, ...broken });
    const faults = await withFolder(tmpdir(), async (folder) => {
      await writeUnits(inputIn(folder), expected.units);
      // Opened while there is nothing to sweep, or it would do what the next life has to.
      const store = createFileStore({ root: storeIn(folder) });
      const state = { finished: new Set<string>(), inHand: 0, litter: new Set<string>(), faults: [] };
      const begun: Run = { folder, origin, expected, store, ...state };
      await live(begun, kills);
      return [...begun.faults, ...(await look(begun))];
    });
    print(...faults, faults.length === 0 ? 'all right' : 'WRONG');
    process.exitCode = faults.length === 0 ? 0 : 1;
  } finally {
    origin.close();
  }
}

/** Begins the run again and again. */
async function live(run: Run, kills: number): Promise<void> {
  const { origin, expected, faults } = run;
  let killed = 0;
  let end = await liveOnce(run, kills);
  while (end.status === null) {
    killed++;
    end = await liveOnce(run, kills - killed);
  }
  const twice = [...origin.fetches.values()].reduce((sum, count) => sum + count - 1, 0);
  print(
    `${expected.units.length} units, ${expected.images.size} images; killed ${killed} times, then ended with ${end.status}`,
    `${origin.fetches.size} sources fetched, and ${twice} times one of them again: ${run.inHand} were in hand at a kill`,
  );
  if (killed < kills) faults.push(`ended by itself after ${killed} kills: it takes more units`);
  if (end.status !== 2) faults.push(`ended with ${end.status} instead of 2: ${end.stderr}`);
  if (twice > run.inHand) faults.push('more was fetched again than was in hand');
}

/** @param killsLeft - 0: it may live until it ends by itself */
async function liveOnce(run: Run, killsLeft: number): Promise<CommandEnd> {
  const { folder, origin, finished, faults } = run;
  const fetched = new Set<string>();
  const fetchesToDie = killsLeft > 0 ? chooseFetches(run, killsLeft) : Number.POSITIVE_INFINITY;
  const delayMs = Math.random() * MOST_DELAY_MS;
  const command = startCommand(['prewarm', inputIn(folder), '--report', reportIn(folder)], {
    STORE: `file:${storeIn(folder)}`,
    CONCURRENCY: String(CONCURRENCY),
    ...{ ...WANTED, ...LIMITS, ...origin.env },
    // A good source that is late would be fetched again.
    SOURCE_TIMEOUT_MS: '60000',
  });
  origin.onFetch = (src) => {
    if (finished.has(src)) faults.push(`fetched again, though all was there: ${src}`);
    if (fetched.has(src)) faults.push(`fetched twice by one process: ${src}`);
    fetched.add(src);
    if (fetched.size === fetchesToDie) void wait(delayMs).then(command.kill);
  };
  const end = await command.ended;
  if (end.status === null) {
    await wait(LATE_MS);
    print(
      `killed after ${fetched.size} fetches and ${delayMs.toFixed(0)} ms, ${await takeDown(run, fetched)}`,
    );
  }
  return end;
}

/** So many that there is something left to do for those to come. */
function chooseFetches({ origin, expected }: Run, killsLeft: number): number {
  const served = [...expected.images.values()].filter(({ way }) => !way || way.answer);
  const left = served.length - origin.fetches.size;
  return 1 + Math.floor((Math.random() * 1.8 * left) / (killsLeft + 1));
}

/** @returns what a killed process leaves undone of what it has `fetched` */
async function takeDown(run: Run, fetched: ReadonlySet<string>): Promise<string> {
  const { folder, expected, store, finished, faults } = run;
  const inHand = { good: 0, broken: 0 };
  for (const src of fetched) {
    const image = expected.images.get(src);
    if (!image) faults.push(`fetched, and nobody knows why: ${src}`);
    else if (await isFinished(store, image)) finished.add(src);
    else inHand[image.way ? 'broken' : 'good']++;
  }
  if (inHand.good > SOURCES_IN_HAND) faults.push(`${inHand.good} good images were in hand`);
  run.inHand += inHand.good + inHand.broken;
  const litter = new Set(await readdir(join(storeIn(folder), TEMP_FOLDER)));
  for (const name of litter) if (run.litter.has(name)) faults.push(`not swept: ${name}`);
  run.litter = litter;
  return `in hand ${inHand.good} good and ${inHand.broken} broken images; ${litter.size} temporary files`;
}

/** @returns what is wrong in the end */
async function look({ folder, expected }: Run): Promise<string[]> {
  const rows = await compareReport(readReport(reportIn(folder)), expected.images);
  const right = [...rows.values()].reduce((sum, row) => sum + row.right, 0);
  const said = [...rows].flatMap(([name, { wrong, example }]) => (wrong > 0 ? [`${name}: ${example}`] : []));
  const files = await fileFaults(storeIn(folder), expected);
  const variants = await variantFaults(storeIn(folder), expected.images.values());
  print(
    `${right} images as they are to be, ${expected.images.size - right} not; ${files.length} files too many or too few; ${variants.length} variants that are no hit`,
  );
  return [...said, ...files, ...variants];
}

function inputIn(folder: string): string {
  return join(folder, 'units.jsonl');
}

function reportIn(folder: string): string {
  return join(folder, 'report.jsonl');
}

function storeIn(folder: string): string {
  return join(folder, 'store');
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

await new Command('killed')
  .description(
    'kill a run of prewarm at random moments, begin it again until it ends, and look at what is lost',
  )
  .option('--units <n>', 'how many', wholeNumber, 300)
  .option('--kills <n>', 'how often', wholeNumber, 10)
  .action(run)
  .parseAsync();
