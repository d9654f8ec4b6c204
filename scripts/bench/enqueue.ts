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
import { encodeMessage } from '../../src/queue/message.ts';
import type { Job } from '../../src/queue/queue.ts';
import { createSqsClient } from '../../src/queue/sqs-api.ts';
import { ingestUnits } from '../../src/unit/ingest.ts';
import { parseUnit } from '../../src/unit/parse-unit.ts';
import { readUnits } from '../../src/unit/read-units.ts';
import { wholeNumber } from '../cli/options.ts';
import { openUnitSession } from '../cli/unit-session.ts';
import { median, print, timeSeconds } from './harness/measurements.ts';
import { requireStatus, runCommand, type ServerProcess, startServer } from './harness/processes.ts';
import { generateUnits, withFolder, writeUnits } from './harness/work-files.ts';

/** As many calls in flight as prewarm has at most. */
const CALLS_IN_FLIGHT = 8;
/** The share of the units that are sent unpacked: enough for a rate, as it takes ten times as long. */
const UNPACKED_SHARE = 0.2;
/** 1,000,000 units an hour, in units a second. */
const GOAL_PER_SECOND = 278;
/** The best rate of the service of 2017. */
const PER_SECOND_IN_2017 = 40;
const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' };

interface EnqueueOptions {
  units: number;
  images: number;
  rounds: number;
  store: string;
}

/** What all measurements of a run share. */
interface Bench extends EnqueueOptions {
  server: ServerProcess;
  client: SQSClient;
  folder: string;
  unitsFile: string;
  emptyFile: string;
}

export function enqueueCommand(): Command {
  return new Command('enqueue')
    .description('put units on an SQS queue on this machine, packed as prewarm does and one by one')
    .option('--units <n>', 'number of units', wholeNumber, 20_000)
    .option('--images <n>', 'images per unit', wholeNumber, 5)
    .option('--rounds <n>', 'number of rounds', wholeNumber, 3)
    .option('--store <folder>', 'the folder for the manifests; /dev/shm leaves the disk out', tmpdir())
    .action(measureEnqueue);
}

/**
 * The rate at which one prewarm process puts units on an SQS queue, with its start and the manifests, against one SendMessage a unit
 * without manifests, and against storing the manifests alone.
 */
async function measureEnqueue(options: EnqueueOptions): Promise<void> {
  const server = await startServer('scripts/bench/harness/sqs-server.ts', {});
  const client = createSqsClient({ endpoint: server.url, credentials: CREDENTIALS });
  try {
    await withFolder(options.store, (folder) => {
      const [unitsFile, emptyFile] = [join(folder, 'units.jsonl'), join(folder, 'none.jsonl')];
      return measureRounds({ ...options, server, client, folder, unitsFile, emptyFile });
    });
  } finally {
    client.destroy();
    await server.stop();
  }
}

async function measureRounds(bench: Bench): Promise<void> {
  const urls = (unit: number) =>
    Array.from({ length: bench.images }, (_, image) => `https://images.example.com/${unit}/${image}.jpg`);
  const units = generateUnits(bench.units, (index) => ({ id: `unit-${index}`, images: urls(index) }));
  await writeUnits(bench.unitsFile, units);
  await writeFile(bench.emptyFile, '');
  const rates: number[] = [];
  for (let round = 1; round <= bench.rounds; round++) rates.push(await measureRound(bench, round));
  const rate = median(rates);
  print(
    `median ${format(rate)} units/s: ${format(rate / GOAL_PER_SECOND)} times the ${GOAL_PER_SECOND}/s of a million an hour, ${format(rate / PER_SECOND_IN_2017)} times the ${PER_SECOND_IN_2017}/s of 2017`,
  );
}

/** @returns units a second */
async function measureRound(bench: Bench, round: number): Promise<number> {
  const { units, images, server } = bench;
  const startSeconds = await prewarm(bench, bench.emptyFile, `none-${round}`);
  const before = await countCalls(server);
  const seconds = await prewarm(bench, bench.unitsFile, `packed-${round}`);
  const calls = (await countCalls(server)) - before;
  const unpacked = Math.ceil(units * UNPACKED_SHARE);
  const unpackedSeconds = await sendUnpacked(bench, unpacked, `unpacked-${round}`);
  const manifestSeconds = await storeManifests(bench, `manifests-${round}`);
  const [rate, unpackedRate] = [units / seconds, unpacked / unpackedSeconds];
  print(
    `round ${round}: ${units} units of ${images} images in ${format(seconds)} s, of which ${format(startSeconds)} s to start: ${format(rate)} units/s`,
    `  one message a unit, without manifests: ${format(unpackedRate)} units/s; ratio ${format(rate / unpackedRate)}`,
    `  calls of SQS for 1,000 units: ${format((1000 * calls) / units)}, one message a unit 1000`,
    `  the manifests alone: ${format(manifestSeconds)} s, ${format(units / manifestSeconds)} units/s`,
  );
  return rate;
}

/** @returns the seconds of a whole prewarm process */
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

/** Sends one message, and so makes one call, a unit. @returns the seconds that it takes */
async function sendUnpacked(bench: Bench, units: number, name: string): Promise<number> {
  return await withQueue(bench, name, async (QueueUrl) => {
    const jobs = Array.from({ length: units }, (_, index) => ({
      unit: `unit-${index}`,
      images: bench.images,
      retry: false,
    }));
    const sendOne = (job: Job) =>
      bench.client.send(new SendMessageCommand({ QueueUrl, MessageBody: encodeMessage([job]) }));
    return await timeSeconds(() => pMap(jobs, sendOne, { concurrency: CALLS_IN_FLIGHT }));
  });
}

/** Ingests the units as prewarm does, with a queue that does nothing. @returns the seconds that it takes */
async function storeManifests(bench: Bench, name: string): Promise<number> {
  const config = readConfig({ STORE: `file:${join(bench.folder, name)}` });
  const session = await openUnitSession(config, print);
  const { units } = session;
  const lines = readUnits(createReadStream(bench.unitsFile), { toUnit: (value) => parseUnit(value, config) });
  const seconds = await timeSeconds(() =>
    ingestUnits(lines, { units, queue: { send: async () => {} }, retry: false, onRefused: () => {} }),
  );
  await session.close();
  return seconds;
}

/** Calls `use` with a new queue, and deletes the queue with its messages afterwards. */
async function withQueue<T>({ client, server }: Bench, name: string, use: (url: string) => Promise<T>) {
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: name }));
  // The local SQS does not know its own port.
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

function format(amount: number): string {
  return amount >= 100 ? amount.toFixed(0) : amount.toFixed(1);
}
