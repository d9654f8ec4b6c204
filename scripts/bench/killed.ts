import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { createFileStore } from '../../src/store/file-store.ts';
import { TEMP_FOLDER, type VariantStore } from '../../src/store/store.ts';
import { wholeNumber } from '../cli/options.ts';
import { type ClientServer, LIMITS, PERMANENT, serveBrokenSources } from './harness/broken-sources.ts';
import { compareReport, type ExpectedOutcomes, generateOutcomes } from './harness/expected-outcomes.ts';
import { print, sum } from './harness/measurements.ts';
import { type CommandEnd, startCommand } from './harness/processes.ts';
import { prewarmFiles, readReport, withFolder, writeUnits } from './harness/work-files.ts';
import { findFileErrors, findVariantErrors, isComplete, WANTED } from './killed/check-store.ts';

const GOOD_IMAGES = 3;
const BROKEN_EVERY = 5;
const CONCURRENCY = 2;
/** How many sources prewarm holds in memory with that many encoders. Source records of failed fetches come on top. */
const MAX_SOURCES_IN_FLIGHT = 16;
/** The longest time from the last awaited fetch to the kill: by then an image may be decoded, encoded or stored. */
const MAX_KILL_DELAY_MS = 200;
/** Requests that a killed process has sent arrive within this time. */
const LATE_REQUESTS_MS = 50;

/**
 * A transient error is meant to be fetched more than once, and so is a redirect to a forbidden address: a minute later it may lead
 * elsewhere.
 */
const FETCHED_ONCE = PERMANENT.filter(({ code, answer }) => code !== 'source_forbidden' || !answer);

/** A prewarm that is killed and started again until it ends by itself, and what was found on the way. */
interface KilledRun {
  files: ReturnType<typeof prewarmFiles>;
  origin: ClientServer;
  expected: ExpectedOutcomes;
  store: VariantStore;
  /** Sources whose results were all stored at a kill: they must not be fetched again. */
  complete: Set<string>;
  /** How many images were in flight at the kills so far: each may be fetched once more. */
  inFlight: number;
  /** Temp files that were left at the last kill: the next process deletes them. */
  tempFiles: ReadonlySet<string>;
  errors: string[];
}

export function killedCommand(): Command {
  return new Command('killed')
    .description(
      'kill prewarm at random moments, restart it until it ends, and check what is lost or repeated',
    )
    .option('--units <n>', 'number of units', wholeNumber, 300)
    .option('--kills <n>', 'number of kills', wholeNumber, 10)
    .action(checkKilled);
}

/** The report and store after a prewarm that is killed at random moments, against what was submitted; and repeated fetches. */
async function checkKilled({ units, kills }: { units: number; kills: number }): Promise<void> {
  const origin = await serveBrokenSources();
  try {
    const broken = { brokenEvery: BROKEN_EVERY, kinds: FETCHED_ONCE };
    const expected = generateOutcomes({ origin, units, goodImages: GOOD_IMAGES, ...broken });
    const errors = await withFolder(tmpdir(), async (folder) => {
      const files = prewarmFiles(folder);
      await writeUnits(files.unitsFile, expected.units);
      // Opened while the folder is empty: opening a store sweeps its temp files, which is the job of the restarted process.
      const store = createFileStore({ root: files.storeFolder });
      const state = { complete: new Set<string>(), inFlight: 0, tempFiles: new Set<string>(), errors: [] };
      const run: KilledRun = { files, origin, expected, store, ...state };
      await runUntilDone(run, kills);
      return [...run.errors, ...(await checkResult(run))];
    });
    print(...errors, errors.length === 0 ? 'all right' : 'WRONG');
    process.exitCode = errors.length === 0 ? 0 : 1;
  } finally {
    origin.close();
  }
}

/** Starts prewarm again until it ends by itself. */
async function runUntilDone(run: KilledRun, kills: number): Promise<void> {
  const { origin, expected, errors } = run;
  let killed = 0;
  let end = await runOnce(run, kills);
  while (end.status === null) {
    killed++;
    end = await runOnce(run, kills - killed);
  }
  const repeated = sum([...origin.fetches.values()].map((count) => count - 1));
  print(
    `${expected.units.length} units, ${expected.images.size} images; killed ${killed} times, then ended with ${end.status}`,
    `${origin.fetches.size} sources fetched, ${repeated} of them again: ${run.inFlight} were in flight at a kill`,
  );
  if (killed < kills) errors.push(`ended by itself after ${killed} kills: it needs more units`);
  if (end.status !== 2) errors.push(`ended with ${end.status} instead of 2: ${end.stderr}`);
  if (repeated > run.inFlight) errors.push('more sources were fetched again than were in flight');
}

/** @param killsLeft - 0: prewarm may run until it ends by itself */
async function runOnce(run: KilledRun, killsLeft: number): Promise<CommandEnd> {
  const { files, origin, complete, errors } = run;
  const fetched = new Set<string>();
  const fetchesBeforeKill = killsLeft > 0 ? chooseFetches(run, killsLeft) : Number.POSITIVE_INFINITY;
  const delayMs = Math.random() * MAX_KILL_DELAY_MS;
  const command = startCommand(['prewarm', files.unitsFile, '--report', files.reportFile], {
    STORE: `file:${files.storeFolder}`,
    CONCURRENCY: String(CONCURRENCY),
    ...WANTED,
    ...LIMITS,
    ...origin.env,
    // A good source that is slow would be fetched again.
    SOURCE_TIMEOUT_MS: '60000',
  });
  origin.onFetch = (src) => {
    if (complete.has(src)) errors.push(`fetched again, although its results were stored: ${src}`);
    if (fetched.has(src)) errors.push(`fetched twice by one process: ${src}`);
    fetched.add(src);
    if (fetched.size === fetchesBeforeKill) void sleep(delayMs).then(command.kill);
  };
  const end = await command.ended;
  if (end.status === null) {
    await sleep(LATE_REQUESTS_MS);
    print(
      `killed after ${fetched.size} fetches and ${delayMs.toFixed(0)} ms, ${await recordKill(run, fetched)}`,
    );
  }
  return end;
}

/** A random number of fetches that leaves work for the kills to come. */
function chooseFetches({ origin, expected }: KilledRun, killsLeft: number): number {
  const served = [...expected.images.values()].filter(({ kind }) => !kind || kind.answer);
  const left = served.length - origin.fetches.size;
  return 1 + Math.floor((Math.random() * 1.8 * left) / (killsLeft + 1));
}

/** Records what a killed process has completed of what it `fetched`. @returns what was in flight, as text */
async function recordKill(run: KilledRun, fetched: ReadonlySet<string>): Promise<string> {
  const { files, expected, store, complete, errors } = run;
  const inFlight = { good: 0, broken: 0 };
  for (const src of fetched) {
    const image = expected.images.get(src);
    if (!image) errors.push(`fetched, but not submitted: ${src}`);
    else if (await isComplete(store, image)) complete.add(src);
    else inFlight[image.kind ? 'broken' : 'good']++;
  }
  if (inFlight.good > MAX_SOURCES_IN_FLIGHT) errors.push(`${inFlight.good} good images were in flight`);
  run.inFlight += inFlight.good + inFlight.broken;
  const tempFiles = new Set(await readdir(join(files.storeFolder, TEMP_FOLDER)));
  for (const name of tempFiles) if (run.tempFiles.has(name)) errors.push(`temp file not deleted: ${name}`);
  run.tempFiles = tempFiles;
  return `in flight ${inFlight.good} good and ${inFlight.broken} broken images; ${tempFiles.size} temp files`;
}

/** @returns what is wrong with the report and the store in the end */
async function checkResult({ files, expected }: KilledRun): Promise<string[]> {
  const counts = await compareReport(readReport(files.reportFile), expected.images);
  const right = sum([...counts.values()].map((one) => one.right));
  const reportErrors = [...counts].flatMap(([name, { wrong, example }]) =>
    wrong > 0 ? [`${name}: ${example}`] : [],
  );
  const fileErrors = await findFileErrors(files.storeFolder, expected);
  const variantErrors = await findVariantErrors(files.storeFolder, expected.images.values());
  print(
    `${right} images as expected, ${expected.images.size - right} not; ${fileErrors.length} files too many or too few; ${variantErrors.length} variants that are not hits`,
  );
  return [...reportErrors, ...fileErrors, ...variantErrors];
}
