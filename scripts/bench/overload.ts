import { writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { printFault, printFaultHead, printTimes } from './harness/fault-table.ts';
import { formatMebibytes, percentile, print } from './harness/measurements.ts';
import { treeMemoryBytes, watchMemory } from './harness/memory.ts';
import { startProbe } from './harness/probing.ts';
import { type ServerProcess, startServer, startService } from './harness/processes.ts';
import { ADMIN_TOKEN, scrape } from './harness/scrape.ts';
import { largePhotographs, serveSources } from './harness/sources.ts';
import { type Seen, viewAtRate, viewInTurn } from './harness/viewers.ts';
import { withFolder } from './harness/work-files.ts';

interface OverloadOptions {
  seconds: number;
  times: number;
  settle: number;
  comeAgain: boolean;
}

/** What is served later is of no use: the viewer has left. */
const IN_TIME_MS = 10_000;
/** How long viewers of this measurement wait all the same, so that what comes too late is seen. */
const PATIENCE_MS = 60_000;
const CAPACITY_SECONDS = 10;

export function overloadCommand(): Command {
  return new Command('overload')
    .description(
      'requests for new variants at many times the capacity: who is served in time, and what hits and memory do meanwhile',
    )
    .argument('[folder]', 'with photographs of 10 megapixels and more; default: enlarged ones of the demo')
    .addOption(new Option('--seconds <n>', 'how long').default(60).argParser(Number))
    .addOption(new Option('--times <n>', 'times the measured capacity').default(10).argParser(Number))
    .addOption(
      new Option('--settle <n>', 'after how many seconds memory is read again').default(60).argParser(Number),
    )
    .option('--come-again', 'viewers who are refused come again after the time that they are told', false)
    .action(measureOverload);
}

async function measureOverload(folder: string | undefined, options: OverloadOptions): Promise<void> {
  const sources = await largePhotographs(folder);
  const origin = await serveSources(sources);
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, ADMIN_TOKEN });
  const missUrls = (unit: string) => (index: number) => {
    const src = encodeURIComponent(`http://${origin.authority}/${index % sources.length}`);
    return `${service.url}/u/${unit}-${index}?src=${src}&w=1080&f=webp`;
  };
  const hit = missUrls('warm-up')(0);
  await withFolder(tmpdir(), async (files) => {
    const bare = await startBare(files, hit);
    // Before the capacity is measured: it takes its part of the cores then, too.
    const warmUp = startProbe([hit, bare.url]);
    const capacity = await measureCapacity(missUrls);
    await warmUp.stop();
    const probe = startProbe([hit, bare.url]);
    const memory = { before: treeMemoryBytes(service.pid), watch: watchMemory(service.pid) };
    const encodesBefore = await scrape(service.url, 'edgepress_encodes_total');
    const load = measureOwnLoad();
    const { seen, requests } = await viewAtRate(missUrls('overload'), {
      ...{ perSecond: options.times * capacity.perSecond, patienceMs: PATIENCE_MS },
      ...{ seconds: options.seconds, comeAgain: options.comeAgain },
    });
    const ownLoad = load() - capacity.ownLoad;
    const encodes = (await scrape(service.url, 'edgepress_encodes_total')) - encodesBefore;
    const [hits, bareHits] = await probe.stop();
    printFaultHead();
    const refused = printServed(seen, encodes, { ...capacity, leftShare: 1 - ownLoad }, options);
    const p99 = (probed = { ms: [] as number[] }) => percentile(probed.ms, 0.99);
    printTimes(
      `p99 of hits meanwhile (${hits?.failures} failed)`,
      'node:http from memory, beside it',
      p99(hits),
      p99(bareHits),
    );
    await printMemory(service, memory.before, memory.watch.peakBytes(), options.settle);
    print('', refused);
    print(
      '',
      `${requests} requests of ${seen.length} viewers; to send them took ${(100 * ownLoad).toFixed(1)}% of all cores more than while the capacity was measured`,
    );
    memory.watch.stop();
    await bare.stop();
  });
  await service.stop();
  origin.close();
}

/** What the server can do when nobody is refused. */
interface Capacity {
  /** Misses a second. */
  perSecond: number;
  /** What this process, which sends the requests and is the origin, takes of all cores meanwhile. */
  ownLoad: number;
}

/** Measures misses with as many viewers as keep all cores busy. */
async function measureCapacity(missUrls: (unit: string) => (index: number) => string): Promise<Capacity> {
  const viewers = 2 * availableParallelism();
  await viewInTurn(missUrls('warm-up'), { viewers, seconds: CAPACITY_SECONDS / 2, patienceMs: PATIENCE_MS });
  const start = performance.now();
  const load = measureOwnLoad();
  const seen = await viewInTurn(missUrls('capacity'), {
    viewers,
    seconds: CAPACITY_SECONDS,
    patienceMs: PATIENCE_MS,
  });
  const perSecond = seen.filter(({ status }) => status === 200).length / ((performance.now() - start) / 1000);
  print(`capacity: ${perSecond.toFixed(1)} misses a second`, '');
  return { perSecond, ownLoad: load() };
}

/** Returns a function that returns which part of all cores this process has taken since. */
function measureOwnLoad(): () => number {
  const start = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / (performance.now() - start) / availableParallelism();
  };
}

async function startBare(files: string, url: string): Promise<ServerProcess> {
  const response = await fetch(url);
  const body = join(files, 'body');
  await writeFile(body, new Uint8Array(await response.arrayBuffer()));
  const headers = JSON.stringify({ 'content-type': response.headers.get('content-type') });
  return await startServer('scripts/bench/harness/bare-server.ts', { BODY: body, HEADERS: headers });
}

/** @returns what else there is to say about who was refused */
function printServed(
  seen: readonly Seen[],
  encodes: number,
  capacity: Capacity & { leftShare: number },
  { seconds, times }: OverloadOptions,
): string {
  const served = seen.filter(({ status }) => status === 200);
  const inTime = served.filter(({ ms }) => ms <= IN_TIME_MS);
  const refused = seen.filter(({ status }) => status === 503);
  const all = `${seen.length} viewers, ${times} × the capacity`;
  const share = (measured: string, part: number) =>
    printFault({ measured, comparedWith: all, ratio: part / seen.length, each: `${part}, ${seen.length}` });
  share('served within 10 s', inTime.length);
  share('served later', served.length - inTime.length);
  share('refused with 503', refused.length);
  share('anything else', seen.length - served.length - refused.length);
  printTimes(
    'p99 of what was served',
    'the 10 s that a viewer waits',
    percentile(
      served.map(({ ms }) => ms),
      0.99,
    ),
    IN_TIME_MS,
    'at most 1',
  );
  const possible = capacity.perSecond * capacity.leftShare * seconds;
  printFault({
    ...{
      measured: 'served in time',
      comparedWith: 'the capacity that sending the requests leaves',
      ratio: inTime.length / possible,
      aim: 'at least 0.95',
    },
    each: `${inTime.length}, ${possible.toFixed(0)}`,
  });
  printFault({
    ...{
      measured: 'served in time',
      comparedWith: 'variants made',
      ratio: inTime.length / encodes,
      aim: 'at least 0.95',
    },
    each: `${inTime.length}, ${encodes}`,
  });
  return describeRefused(refused);
}

function describeRefused(refused: readonly Seen[]): string {
  const waits = refused.map(({ retryAfterSeconds = Number.NaN }) => retryAfterSeconds);
  const refusedMs = refused.map(({ ms }) => ms);
  return `refused after ${percentile(refusedMs, 0.5).toFixed(0)} ms (median), ${percentile(refusedMs, 0.99).toFixed(0)} ms (p99); Retry-After ${percentile(waits, 0)} to ${percentile(waits, 1)} s`;
}

async function printMemory(
  service: ServerProcess,
  before: number,
  peak: number,
  settle: number,
): Promise<void> {
  const line = (measured: string, bytes: number) =>
    printFault({
      ...{ measured, comparedWith: 'before', ratio: bytes / before },
      each: `${formatMebibytes(bytes)}, ${formatMebibytes(before)}`,
    });
  line('memory at its peak', peak);
  await sleep(settle * 1000);
  line(`memory ${settle} s later`, treeMemoryBytes(service.pid));
}
