import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { readPhotographs } from '../../src/demo/demo.ts';
import { printFault, printFaultHead, printTimes } from './harness/fault-table.ts';
import { type HangingServer, startHangingServer } from './harness/hanging-server.ts';
import { median, percentile } from './harness/measurements.ts';
import { startMemoryS3 } from './harness/memory-s3.ts';
import { startService } from './harness/processes.ts';
import { serveSources } from './harness/sources.ts';
import { type Seen, viewInTurn } from './harness/viewers.ts';

interface Options {
  seconds: number;
  requests: number;
  hosts: number;
}

const PATIENCE_MS = 60_000;
/** Viewers of good sources: few, so that the cores are not what they wait for. */
const GOOD_VIEWERS = 2;
const PAUSE_MS = 50;
/** How long a fault is there before it is measured. */
const SETTLED_MS = 1000;
/** What an SDK for S3 wants to know. */
const S3_CREDENTIALS = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
};

export function badNeighboursCommand(): Command {
  return new Command('bad-neighbours')
    .description(
      'misses of good sources beside hosts that hang, and with an S3 that does not answer, against alone',
    )
    .addOption(new Option('--seconds <n>', 'duration of each measurement').default(20).argParser(Number))
    .addOption(
      new Option('--requests <n>', 'requests at a time for sources of hosts that hang')
        .default(300)
        .argParser(Number),
    )
    .addOption(
      new Option('--hosts <n>', 'how many hosts hang in the second measurement').default(4).argParser(Number),
    )
    .action(measure);
}

async function measure(options: Options): Promise<void> {
  printFaultHead();
  await besideHangingHosts(options);
  await withSilentS3(options);
}

async function besideHangingHosts({ seconds, requests, hosts }: Options): Promise<void> {
  const good = await startGood();
  // Each address of loopback is a host.
  const hanging = await Promise.all(
    Array.from({ length: hosts }, (_, index) => startHangingServer(`127.0.0.${index + 2}`)),
  );
  const authorities = [good.authority, ...hanging.map(({ authority }) => authority)];
  const service = await startService({ SOURCE_ALLOW_PRIVATE: authorities.join(',') });
  await viewGood(service.url, good.authority, 'warm-up', seconds / 2);
  const alone = await viewGood(service.url, good.authority, 'alone', seconds);
  for (const bad of [hanging.slice(0, 1), hanging]) {
    const name = `beside ${bad.length} ${bad.length === 1 ? 'host that hangs' : 'hosts that hang'}, ${requests} requests at a time`;
    const stop = new AbortController();
    const victims = viewBad(service.url, bad, { seconds: 10 * seconds, viewers: requests }, stop.signal);
    await sleep(SETTLED_MS);
    const beside = await viewGood(service.url, good.authority, `beside-${bad.length}`, seconds);
    stop.abort();
    printGood(name, beside, alone);
    const refused = await victims;
    printTimes(
      `${name}: how soon their own requests are answered (median)`,
      'the timeout of a source',
      median(refused.map(({ ms }) => ms)),
      10_000,
    );
  }
  await service.stop();
  for (const server of [...hanging, good]) server.close();
}

async function withSilentS3({ seconds }: Options): Promise<void> {
  const good = await startGood();
  const s3 = await startMemoryS3();
  const store = { STORE: 's3://bench', S3_ENDPOINT: s3.endpoint, ...S3_CREDENTIALS };
  const service = await startService({ ...store, SOURCE_ALLOW_PRIVATE: good.authority });
  await viewGood(service.url, good.authority, 'warm-up', seconds / 2);
  const alone = await viewGood(service.url, good.authority, 'alone', seconds);
  s3.isSilent = true;
  const first = await viewGood(service.url, good.authority, 'first', 0.1);
  const silent = await viewGood(service.url, good.authority, 'silent', seconds);
  printTimes(
    'the first misses after S3 has fallen silent',
    'S3 answers',
    percentile(
      first.map(({ ms }) => ms),
      1,
    ),
    median(alone.map(({ ms }) => ms)),
  );
  printGood('S3 that accepts and never answers', silent, alone, 'S3 answers');
  await service.stop();
  s3.close();
  good.close();
}

async function startGood() {
  const photographs = await readPhotographs();
  return await serveSources(photographs.map(({ name, bytes }) => ({ name, bytes, megapixels: 0 })));
}

function viewGood(service: string, authority: string, unit: string, seconds: number): Promise<Seen[]> {
  const urlAt = (index: number) =>
    `${service}/u/good-${unit}-${index}?src=${encodeURIComponent(`http://${authority}/0`)}&w=320&f=webp`;
  return viewInTurn(urlAt, { viewers: GOOD_VIEWERS, seconds, patienceMs: PATIENCE_MS, pauseMs: PAUSE_MS });
}

function viewBad(
  service: string,
  hosts: readonly HangingServer[],
  { viewers, seconds }: { viewers: number; seconds: number },
  signal: AbortSignal,
): Promise<Seen[]> {
  const sourceAt = (index: number) => `http://${hosts[index % hosts.length]?.authority}/${index}`;
  const urlAt = (index: number) =>
    `${service}/u/bad-${index}?src=${encodeURIComponent(sourceAt(index))}&w=320&f=webp`;
  // Those who were refused come again after a second.
  return viewInTurn(urlAt, { viewers, seconds, patienceMs: PATIENCE_MS, pauseMs: 1000 }, signal);
}

function printGood(
  measured: string,
  beside: readonly Seen[],
  alone: readonly Seen[],
  comparedWith = 'alone',
): void {
  const times = (seen: readonly Seen[]) => seen.map(({ ms }) => ms);
  const served = (seen: readonly Seen[]) => seen.filter(({ status }) => status === 200).length / seen.length;
  const percent = (seen: readonly Seen[]) => `${(100 * served(seen)).toFixed(1)}%`;
  printTimes(`${measured}: median`, comparedWith, median(times(beside)), median(times(alone)));
  printTimes(
    `${measured}: p99`,
    comparedWith,
    percentile(times(beside), 0.99),
    percentile(times(alone), 0.99),
  );
  printFault({
    ...{ measured: `${measured}: served`, comparedWith, ratio: served(beside) / served(alone), aim: '1' },
    each: `${percent(beside)} of ${beside.length}, ${percent(alone)} of ${alone.length}`,
  });
}
