import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { Command } from 'commander';
import sharp from 'sharp';
import { readPhotographs } from '../../src/demo/demo.ts';
import { createSqsClient } from '../../src/queue/sqs-api.ts';
import { wholeNumber } from '../cli/options.ts';
import { print } from './harness/measurements.ts';
import {
  bundledServer,
  requireStatus,
  runCommand,
  type ServerProcess,
  startServer,
} from './harness/processes.ts';
import { ADMIN_TOKEN, scrape } from './harness/scrape.ts';
import { generateUnits, withFolder, writeUnits } from './harness/work-files.ts';

/** A message each, so that every worker gets some. */
const IMAGES_PER_UNIT = 50;
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' };

interface FleetOptions {
  workers: number;
  units: number;
  limit: number;
  answerMs: number;
}

export function fleetCommand(): Command {
  return new Command('fleet')
    .description(
      'prewarm images of one slow host with several servers on one SQS queue, and count its requests at once',
    )
    .option('--workers <n>', 'number of servers', wholeNumber, 4)
    .option('--units <n>', `number of units, of ${IMAGES_PER_UNIT} images`, wholeNumber, 40)
    .option('--limit <n>', 'PREWARM_FETCHES_PER_HOST', wholeNumber, 16)
    .option('--answer-ms <n>', 'how long the host takes to answer', wholeNumber, 200)
    .action(measureFleet);
}

/** The most requests that a host has at once from all servers together, against what one may have; ends with 1 if it has more. */
async function measureFleet(options: FleetOptions): Promise<void> {
  const host = await startSlowHost(options.answerMs);
  const sqs = await startServer('scripts/bench/harness/sqs-server.ts', {});
  try {
    await withFolder(tmpdir(), (folder) => run(options, { host, sqs, folder }));
  } finally {
    host.close();
    await sqs.stop();
  }
}

interface Fleet {
  host: SlowHost;
  sqs: ServerProcess;
  folder: string;
}

async function run(
  { workers, units, limit, answerMs }: FleetOptions,
  { host, sqs, folder }: Fleet,
): Promise<void> {
  const env = {
    ...{ ...CREDENTIALS, ADMIN_TOKEN, STORE: `file:${join(folder, 'store')}`, QUEUE: await createQueue(sqs) },
    ...{
      SQS_ENDPOINT: sqs.url,
      SOURCE_ALLOW_PRIVATE: host.authority,
      PREWARM_FETCHES_PER_HOST: String(limit),
    },
    ...{ PREWARM_WIDTHS: '160', PREWARM_FORMATS: 'jpeg', PREWARM_EFFORT: 'fast', CONCURRENCY: '1' },
  };
  const file = join(folder, 'units.jsonl');
  const urls = (unit: number) =>
    Array.from({ length: IMAGES_PER_UNIT }, (_, image) => `http://${host.authority}/${unit}/${image}.jpg`);
  await writeUnits(
    file,
    generateUnits(units, (index) => ({ id: `unit-${index}`, images: urls(index) })),
  );
  const fleet = await Promise.all(
    Array.from({ length: workers }, () => startServer(bundledServer(), { ...env, PORT: '0' })),
  );
  try {
    const end = await runCommand(['prewarm', file, '--wait'], env);
    const { most, requests, seconds } = host.counts();
    const made = await Promise.all(fleet.map(({ url }) => scrape(url, 'edgepress_prewarm_images_total')));
    print(
      `${workers} servers, ${units * IMAGES_PER_UNIT} images of a host that answers after ${answerMs} ms, at most ${limit} at once:`,
      `  at most ${most} requests at once; ${requests} requests in ${seconds.toFixed(1)} s, of ${made.join(', ')} images each`,
      `  ${((requests * answerMs) / 1000 / seconds / limit).toFixed(2)} of what ${limit} at once can fetch`,
    );
    requireStatus(end, 0);
    if (most > limit) process.exitCode = 1;
  } finally {
    await Promise.all(fleet.map(({ stop }) => stop()));
  }
}

async function createQueue(sqs: ServerProcess): Promise<string> {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const client = createSqsClient({ endpoint: sqs.url, credentials });
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: 'fleet' }));
  client.destroy();
  // The local SQS does not know its own port.
  return new URL(new URL(QueueUrl).pathname, sqs.url).href;
}

interface SlowHost {
  authority: string;
  /** Its requests so far, and the time from the first to the end of the last. */
  counts(): { requests: number; most: number; seconds: number };
  close(): void;
}

async function startSlowHost(answerMs: number): Promise<SlowHost> {
  const [photograph] = await readPhotographs();
  const body = await sharp(photograph?.bytes).resize({ width: 320 }).jpeg().toBuffer();
  let [open, most, requests, firstMs, lastMs] = [0, 0, 0, Number.POSITIVE_INFINITY, 0];
  const server = createServer(async (_request, response) => {
    firstMs = Math.min(firstMs, performance.now());
    requests++;
    open++;
    most = Math.max(most, open);
    response.once('close', () => {
      open--;
      lastMs = performance.now();
    });
    await sleep(answerMs);
    response.setHeader('content-type', 'image/jpeg').end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: () => ({ requests, most, seconds: (lastMs - firstMs) / 1000 }),
    close: () => void server.close().closeAllConnections(),
  };
}
