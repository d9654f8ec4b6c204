import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { Command } from 'commander';
import pMap from 'p-map';
import { readConfig } from '../../src/config.ts';
import { writeMessage } from '../../src/queue/message.ts';
import type { Job } from '../../src/queue/queue.ts';
import { createSqsClient } from '../../src/queue/sqs-api.ts';
import { ingestUnits } from '../../src/unit/ingest.ts';
import { readUnits } from '../../src/unit/read-units.ts';
import { parseUnit } from '../../src/unit/unit.ts';
import { wholeNumber } from '../command/number-within.ts';
import { openUnitSession } from '../command/unit-session.ts';
import { requireStatus, runCommand } from './command-process.ts';
import { type ServerProcess, startProcess } from './server-process.ts';
import { unitsOf, writeUnits } from './unit-files.ts';
import { withFolder } from './work-folder.ts';

/** As many calls in flight as prewarm has at most. */
const CALLS_AT_ONCE = 8;
/** A rate does not need all of the units, and these take ten times as long. */
const SHARE_UNPACKED = 0.2;
/** 1,000,000 an hour. */
const FLOOR = 278;
/** What the service of 2017 triggered, at its best. */
const IN_2017 = 40;
const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' };

interface Options {
  units: number;
  images: number;
  rounds: number;
  store: string;
}

/** What all measurements of a run share. */
interface Bench extends Options {
  server: ServerProcess;
  client: SQSClient;
  folder: string;
}

/**
 * How fast one prewarm process puts units on an SQS queue, start and manifests included, against one SendMessage a unit without
 * manifests, and against storing the manifests alone.
 */
async function run(options: Options): Promise<void> {
  const server = await startProcess('scripts/bench/sqs-server.ts', {});
  const client = createSqsClient({ endpoint: server.url, credentials: CREDENTIALS });
  try {
    await withFolder(options.store, (folder) => measureAll({ ...options, server, client, folder }));
  } finally {
    client.destroy();
    await server.stop();
  }
}

async function measureAll(bench: Bench): Promise<void> {
  const urls = (unit: number) =>
    Array.from({ length: bench.images }, (_, image) => `https://images.example.com/${unit}/${image}.jpg`);
  await writeUnits(
    unitsIn(bench),
    unitsOf(bench.units, (index) => ({ id: `unit-${index}`, images: urls(index) })),
  );
  await writeFile(nothingIn(bench), '');
  const rates: number[] = [];
  for (let round = 1; round <= bench.rounds; round++) rates.push(await measure(bench, round));
  const rate = rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)] ?? 0;
  print(
    `median ${show(rate)} units/s: ${show(rate / FLOOR)} times the ${FLOOR}/s of a million an hour, ${show(rate / IN_2017)} times the ${IN_2017}/s of 2017`,
  );
}

/** @returns units a second */
async function measure(bench: Bench, round: number): Promise<number> {
  const { units, images, server } = bench;
  const startSeconds = await prewarm(bench, nothingIn(bench), `none-${round}`);
  const before = await countCalls(server);
  const seconds = await prewarm(bench, unitsIn(bench), `packed-${round}`);
  const calls = (await countCalls(server)) - before;
  const unpacked = Math.ceil(units * SHARE_UNPACKED);
  const unpackedSeconds = await sendEach(bench, unpacked, `unpacked-${round}`);
  const manifestSeconds = await keepManifests(bench, `manifests-${round}`);
  const [rate, unpackedRate] = [units / seconds, unpacked / unpackedSeconds];
  print(
    `round ${round}: ${units} units of ${images} images in ${show(seconds)} s, of which ${show(startSeconds)} s to start: ${show(rate)} units/s`,
    `  one message a unit, without manifests: ${show(unpackedRate)} units/s; ratio ${show(rate / unpackedRate)}`,
    `  calls of SQS for 1,000 units: ${show((1000 * calls) / units)}, one message a unit 1000`,
    `  the manifests alone: ${show(manifestSeconds)} s, ${show(units / manifestSeconds)} units/s`,
  );
  return rate;
}

/** @returns how long it took, in seconds */
async function prewarm(bench: Bench, file: string, name: string): Promise<number> {
  return await withQueue(bench, name, async (url) => {
    const end = await runCommand(['prewarm', file], {
      STORE: `file:${join(bench.folder, name)}`,
      QUEUE: url,
      SQS_ENDPOINT: bench.server.url,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    });
    requireStatus(end, 0);
    return end.seconds;
  });
}

/** Without packing: a message, and so a call, a unit. */
async function sendEach(bench: Bench, units: number, name: string): Promise<number> {
  return await withQueue(bench, name, async (QueueUrl) => {
    const jobs = Array.from({ length: units }, (_, index) => ({
      ...{ unit: `unit-${index}`, images: bench.images, retry: false },
    }));
    const sendOne = (job: Job) =>
      bench.client.send(new SendMessageCommand({ QueueUrl, MessageBody: writeMessage([job]) }));
    return await timed(() => pMap(jobs, sendOne, { concurrency: CALLS_AT_ONCE }));
  });
}

/** What prewarm does, but for the queue. */
async function keepManifests(bench: Bench, name: string): Promise<number> {
  const config = readConfig({ STORE: `file:${join(bench.folder, name)}` });
  const session = await openUnitSession(config, print);
  const { units } = session;
  const lines = readUnits(createReadStream(unitsIn(bench)), { toUnit: (value) => parseUnit(value, config) });
  const seconds = await timed(() =>
    ingestUnits(lines, { units, queue: { send: async () => {} }, retry: false, refuse: () => {} }),
  );
  await session.close();
  return seconds;
}

/** A new queue, which is gone with what is on it once `use` has ended. */
async function withQueue<T>({ client, server }: Bench, name: string, use: (url: string) => Promise<T>) {
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: name }));
  // It does not know its own port.
  const url = new URL(new URL(QueueUrl).pathname, server.url).href;
  const result = await use(url);
  await client.send(new DeleteQueueCommand({ QueueUrl: url }));
  return result;
}

async function countCalls({ url }: ServerProcess): Promise<number> {
  const calls = (await (await fetch(`${url}/calls`)).json()) as Record<string, number>;
  const { SendMessage = 0, SendMessageBatch = 0 } = calls;
  return SendMessage + SendMessageBatch;
}

function unitsIn({ folder }: Bench): string {
  return join(folder, 'units.jsonl');
}

function nothingIn({ folder }: Bench): string {
  return join(folder, 'none.jsonl');
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function show(amount: number): string {
  return amount >= 100 ? amount.toFixed(0) : amount.toFixed(1);
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

await new Command('enqueue')
  .description('put units on an SQS queue of this machine, packed as prewarm does it and one by one')
  .option('--units <n>', 'how many', wholeNumber, 20_000)
  .option('--images <n>', 'of each unit', wholeNumber, 5)
  .option('--rounds <n>', 'how often', wholeNumber, 3)
  .option('--store <folder>', 'where the manifests are kept; /dev/shm leaves the disk out', tmpdir())
  .action(run)
  .parseAsync();
