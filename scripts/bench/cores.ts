import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import PQueue from 'p-queue';
import { imageUrl } from '../../src/client/image-url.ts';
import { type CpuTimes, readCpuTimes } from './harness/cpu-times.ts';
import { print, timeSeconds } from './harness/measurements.ts';
import { type ServerProcess, startService } from './harness/processes.ts';
import { readSources, serveSources } from './harness/sources.ts';
import { runWrk } from './harness/wrk.ts';

const MIN_MEGAPIXELS = 10;
const MISS_WIDTH = 1080;
const HIT_WIDTH = 480;
/** For each worker: until the compiler has settled, a main thread needs several times as long. */
const WARM_UP_MISSES = 120;
const WARM_UP_WIDTH = 160;
const HIT_CONNECTIONS = 64;
const COMPUTED_CORES = [4, 8, 16];

interface CoresOptions {
  rounds: number;
  seconds: number;
}

export function coresCommand(): Command {
  return new Command('cores')
    .description(
      `misses (WebP of ${MISS_WIDTH} px) and hits a second by cores and WORKERS: measured on sets of this machine's cores, computed beyond`,
    )
    .argument('<folder>')
    .option('--rounds <n>', 'how often each photograph is requested', Number, 4)
    .option('--seconds <n>', 'duration of each measurement of hits', Number, 5)
    .action(measureCores);
}

/** Requests of one kind on one set of cores. */
interface Measured {
  perSecond: number;
  cost: RequestCost;
}

interface MeasuredHits extends Measured {
  /** Of each body. */
  bytes: number;
}

async function measureCores(folder: string, options: CoresOptions): Promise<void> {
  const sources = await readSources(folder, MIN_MEGAPIXELS);
  const origin = await serveSources(sources);
  const available = availableParallelism();
  const costs = new Map<'one' | 'several', { misses: RequestCost; hits: RequestCost }>();
  print('cores, workers: a second (milliseconds of CPU in all, on a main thread, on the primary)');
  for (let cores = 1; cores <= available; cores *= 2) {
    for (const workers of new Set([1, cores])) {
      const service = await startOnCores(cores, available, {
        SOURCE_ALLOW_PRIVATE: origin.authority,
        CONCURRENCY: String(cores),
        WORKERS: String(workers),
      });
      const target = { service, authority: origin.authority, images: sources.length, workers };
      const misses = await measureMisses(target, 2 * cores, options.rounds);
      const hits = await measureHits(target, options.seconds);
      await service.stop();
      print(
        `${cores}, ${workers}: misses ${describe(misses)}, hits of ${hits.bytes} bytes ${describe(hits)}`,
      );
      costs.set(workers === 1 ? 'one' : 'several', { misses: misses.cost, hits: hits.cost });
    }
  }
  for (const cores of COMPUTED_CORES.filter((count) => count > available)) {
    for (const workers of [1, cores]) {
      const cost = costs.get(workers === 1 ? 'one' : 'several');
      if (!cost) continue;
      const [misses, hits] = [cost.misses, cost.hits].map((each) => requestsPerSecond(each, cores, workers));
      print(`${cores}, ${workers}: computed misses ${misses?.toFixed(1)}/s, hits ${hits?.toFixed(0)}/s`);
    }
  }
  origin.close();
}

/** Starts the service on the first cores of this machine; this process and its other children move to the rest, if there are any. */
async function startOnCores(cores: number, available: number, env: Record<string, string>) {
  pinThisProcess(0, cores - 1);
  const service = await startService(env);
  pinThisProcess(cores < available ? cores : 0, available - 1);
  return service;
}

/** Processes inherit the cores of the one that starts them. */
function pinThisProcess(first: number, last: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', `${first}-${last}`, String(process.pid)]);
}

interface Target {
  service: ServerProcess;
  authority: string;
  images: number;
  workers: number;
}

async function measureMisses(
  { service, authority, images, workers }: Target,
  inFlight: number,
  rounds: number,
): Promise<Measured> {
  const requestMany = async (count: number, width: number) => {
    const queue = new PQueue({ concurrency: inFlight });
    const request = async (index: number) => {
      const src = `http://${authority}/${index % images}?request=${index}`;
      await fetchBody(imageUrl({ baseUrl: service.url, unit: 'bench', src, width, format: 'webp' }));
    };
    await Promise.all(Array.from({ length: count }, (_, index) => queue.add(() => request(index))));
  };
  const requests = images * rounds;
  await requestMany(WARM_UP_MISSES * workers, WARM_UP_WIDTH);
  const before = readCpuTimes(service.pid);
  const seconds = await timeSeconds(() => requestMany(requests, MISS_WIDTH));
  return { perSecond: requests / seconds, cost: costOf(before, readCpuTimes(service.pid), requests) };
}

async function measureHits({ service, authority }: Target, seconds: number): Promise<MeasuredHits> {
  const src = `http://${authority}/0`;
  const url = imageUrl({
    ...{ baseUrl: service.url, unit: 'bench', src, width: HIT_WIDTH, format: 'webp' },
  });
  const bytes = await fetchBody(url);
  // Each worker reads it into its memory.
  await runWrk(url, HIT_CONNECTIONS, 1);
  const before = readCpuTimes(service.pid);
  const { requests, perSecond } = await runWrk(url, HIT_CONNECTIONS, seconds);
  return { bytes, perSecond, cost: costOf(before, readCpuTimes(service.pid), requests) };
}

async function fetchBody(url: string): Promise<number> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(await response.text());
  return (await response.arrayBuffer()).byteLength;
}

function costOf(before: CpuTimes, after: CpuTimes, requests: number): RequestCost {
  const spent = (part: keyof CpuTimes) => (after[part] - before[part]) / requests;
  return { all: spent('all'), mainThread: spent('mainThreads'), primary: spent('primary') };
}

function describe({ perSecond, cost }: Measured): string {
  const ms = [cost.all, cost.mainThread, cost.primary].map((value) => value.toPrecision(3)).join(', ');
  return `${perSecond.toFixed(perSecond < 100 ? 1 : 0)}/s (${ms})`;
}

/** What one request costs, in milliseconds of CPU time. */
interface RequestCost {
  /** On all threads of all processes. */
  all: number;
  /** On the main thread of the process that answers it. */
  mainThread: number;
  /** On the process that runs the workers; 0 without it. */
  primary: number;
}

/**
 * Computes the most requests a second: until all cores are busy, or the main threads of all workers, or the primary process. An upper
 * bound: memory bandwidth, shared caches and a clock that falls with the load are left out.
 */
function requestsPerSecond(
  { all, mainThread, primary }: RequestCost,
  cores: number,
  workers: number,
): number {
  const mainThreads = Math.min(cores, workers);
  return 1000 * Math.min(cores / all, mainThreads / mainThread, 1 / primary);
}
