import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { printFault, printFaultHead, printTimes } from './harness/fault-table.ts';
import { median, percentile } from './harness/measurements.ts';
import { numbersOption } from './harness/options.ts';
import { type ServerProcess, startCommand, startService } from './harness/processes.ts';
import { ADMIN_HEADERS, ADMIN_TOKEN } from './harness/scrape.ts';
import { largePhotographs, serveSources } from './harness/sources.ts';
import { viewInTurn } from './harness/viewers.ts';
import { withFolder } from './harness/work-files.ts';

interface Options {
  seconds: number;
  viewers: readonly number[];
}

const PATIENCE_MS = 60_000;
/** So many images wait that none of the measurements sees the end of it. */
const PREWARM_IMAGES = 2000;
const STARTED_MS = 3000;
/** Tells the origin who fetches. */
const PREWARM_QUERY = 'prewarm';

export function prewarmBesideViewersCommand(): Command {
  return new Command('prewarm-beside-viewers')
    .description(
      'the time of misses of viewers while prewarm works with effort best, in the server and in a process beside it, against alone; and how much of prewarm is done meanwhile',
    )
    .argument('[folder]', 'with photographs of 10 megapixels and more; default: enlarged ones of the demo')
    .addOption(new Option('--seconds <n>', 'duration of each measurement').default(10).argParser(Number))
    .addOption(numbersOption('--viewers <numbers>', 'how many viewers wait for a miss at a time', [1, 2, 4]))
    .action(measure);
}

/** What a measurement needs. */
interface Run {
  service: ServerProcess;
  sourceAt(index: number): string;
  /** The images that prewarm has fetched so far. */
  prewarmed(): number;
  folder: string;
  options: Options;
}

async function measure(folder: string | undefined, options: Options): Promise<void> {
  const sources = await largePhotographs(folder);
  const origin = await serveSources(sources);
  const ways = { 'in the server': prewarmInServer, 'in a process beside it': prewarmBeside };
  printFaultHead();
  for (const [where, startPrewarm] of Object.entries(ways)) {
    await withFolder(tmpdir(), async (files) => {
      const env = { SOURCE_ALLOW_PRIVATE: origin.authority, STORE: `file:${join(files, 'store')}` };
      const service = await startService({ ...env, ADMIN_TOKEN });
      await measureBeside(where, startPrewarm, {
        ...{ service, options, folder: files },
        sourceAt: (index) => `http://${origin.authority}/${index % sources.length}`,
        prewarmed: () => origin.counts.byQuery.get(PREWARM_QUERY) ?? 0,
      });
      await service.stop();
    });
  }
  origin.close();
}

async function measureBeside(
  where: string,
  startPrewarm: (run: Run) => Promise<() => void>,
  run: Run,
): Promise<void> {
  const { viewers: all, seconds } = run.options;
  await view(run, 'warm-up', 2);
  const alone = new Map<number, number[]>();
  for (const viewers of all) alone.set(viewers, await view(run, 'alone', viewers));
  const stop = await startPrewarm(run);
  await sleep(STARTED_MS);
  const perSecond = async (work: () => Promise<unknown>) => {
    const before = { count: run.prewarmed(), ms: performance.now() };
    await work();
    return (1000 * (run.prewarmed() - before.count)) / (performance.now() - before.ms);
  };
  const prewarmAlone = await perSecond(() => sleep(seconds * 1000));
  for (const [viewers, times] of alone) {
    const name = `prewarm ${where}, ${viewers} at a time`;
    let beside: number[] = [];
    const prewarmBeside = await perSecond(async () => {
      beside = await view(run, 'beside', viewers);
    });
    printTimes(`${name}: median of misses`, 'alone', median(beside), median(times), 'at most 1.5');
    printTimes(`${name}: nine in ten misses`, 'alone', percentile(beside, 0.9), percentile(times, 0.9));
    printFault({
      ...{ measured: `${name}: images prewarmed a second`, comparedWith: 'prewarm without viewers' },
      ratio: prewarmBeside / prewarmAlone,
      each: `${prewarmBeside.toFixed(2)}, ${prewarmAlone.toFixed(2)}`,
      aim: 'above 0',
    });
  }
  stop();
}

/** Returns how long each miss took, in milliseconds. */
async function view({ service, sourceAt, options }: Run, unit: string, viewers: number): Promise<number[]> {
  const { seconds } = options;
  const urlAt = (index: number) =>
    `${service.url}/u/${unit}-${viewers}-${index}?src=${encodeURIComponent(sourceAt(index))}&w=1080&f=webp`;
  const seen = await viewInTurn(urlAt, { viewers, seconds, patienceMs: PATIENCE_MS });
  if (seen.some(({ status }) => status !== 200)) throw new Error('a viewer was not served');
  return seen.map(({ ms }) => ms);
}

function unitLines({ sourceAt }: Run): string {
  const images = (index: number) => [`${sourceAt(index)}?${PREWARM_QUERY}`];
  const lines = Array.from({ length: PREWARM_IMAGES }, (_, index) =>
    JSON.stringify({ id: `prewarm-${index}`, images: images(index) }),
  );
  return lines.join('\n');
}

/** Sends the units to the server, which ends prewarm as it stops. */
async function prewarmInServer(run: Run): Promise<() => void> {
  const response = await fetch(`${run.service.url}/units`, {
    ...{ method: 'POST', headers: ADMIN_HEADERS, body: unitLines(run) },
  });
  if (!response.ok) throw new Error(`POST /units answers ${response.status}: ${await response.text()}`);
  return () => {};
}

/** Starts `npm run prewarm` with the store of the server, as from another terminal. */
async function prewarmBeside(run: Run): Promise<() => void> {
  const file = join(run.folder, 'units.ndjson');
  await writeFile(file, unitLines(run));
  const env = {
    STORE: `file:${join(run.folder, 'store')}`,
    SOURCE_ALLOW_PRIVATE: new URL(run.sourceAt(0)).host,
  };
  return startCommand(['prewarm', file], env, { ownSession: true }).kill;
}
