import { createReadStream } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import sharp from 'sharp';
import { readPhotographs } from '../../src/demo/demo.ts';
import { sha256 } from '../../src/hashing.ts';
import { variantAddress } from '../../src/protocol/keys.ts';
import { VARIANT_METADATA } from '../../src/protocol/metadata.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { wholeNumber } from '../cli/options.ts';
import { formatMebibytes, print, sum, timeSeconds } from './harness/measurements.ts';
import { requireStatus, runCommand, startServer } from './harness/processes.ts';
import {
  fastestParent,
  generateUnits,
  prewarmFiles,
  readReport,
  type SubmittedUnit,
  withFolder,
  writeUnits,
} from './harness/work-files.ts';

/** One unit in ten has its variant already; the image of any other is refused by the allowlist. */
const READY_EVERY = 10;
const VARIANT = { width: 160, tier: 'balanced', format: 'webp' } as const;
/** Nothing is fetched; if it were, the request would not leave this machine. */
const ALLOWED = 'http://127.0.0.1:1/';
const REFUSED = 'http://127.0.0.1:2/';
const TOKEN = 'bench-token';
const POLL_MS = 500;

interface MemoryResult {
  seconds: number;
  peakBytes: number;
}

/** Measures one way to submit this many units. */
type Measure = (folder: string, units: number) => Promise<MemoryResult>;

export function prewarmMemoryCommand(): Command {
  const numbers = (list: string) => list.split(',').map(wholeNumber);
  return new Command('prewarm-memory')
    .description('measure the peak memory of prewarm by the length of its input')
    .option('--units <list>', 'numbers of units', numbers, [1_000, 100_000])
    .option('--http', 'also submit them to a running server, in one request')
    .action(measureMemory);
}

/**
 * The peak memory of prewarm for a short input, against that for a long one. No variant has to be made, so that the difference is
 * the cost of the length alone.
 */
async function measureMemory({ units, http }: { units: number[]; http?: true }): Promise<void> {
  await compare('prewarm FILE', units, measureCommand);
  if (http) await compare('POST /units', units, measureServer);
}

async function compare(name: string, counts: readonly number[], measure: Measure): Promise<void> {
  let first: number | undefined;
  for (const units of counts) {
    const { peakBytes, seconds } = await withFolder(fastestParent(), async (folder) => {
      await writeUnits(prewarmFiles(folder).unitsFile, generateUnits(units, unitAt));
      await storeVariants(folder, units);
      return await measure(folder, units);
    });
    first ??= peakBytes;
    const memory = `${formatMebibytes(peakBytes)} at most, ratio ${(peakBytes / first).toFixed(2)}`;
    print(`${name}: ${units} units: ${memory}; ${seconds.toFixed(1)} s`);
  }
}

async function measureCommand(folder: string, units: number): Promise<MemoryResult> {
  const { unitsFile, reportFile } = prewarmFiles(folder);
  const end = await runCommand(['prewarm', unitsFile, '--report', reportFile], environmentFor(folder));
  requireStatus(end, 2);
  await checkReport(reportFile, units);
  return { seconds: end.seconds, peakBytes: end.peakMemoryBytes };
}

/** All units in one request; measured until the last one has left the queue. */
async function measureServer(folder: string, units: number): Promise<MemoryResult> {
  const env = { ...environmentFor(folder), PORT: '0', ADMIN_TOKEN: TOKEN };
  const server = await startServer('src/entry/server.ts', env);
  try {
    const seconds = await timeSeconds(async () => {
      await postUnits(`${server.url}/units`, prewarmFiles(folder).unitsFile, units);
      while ((await countProcessedImages(server.url)) < units) await sleep(POLL_MS);
    });
    return { seconds, peakBytes: server.peakMemoryBytes() };
  } finally {
    await server.stop();
  }
}

function unitAt(index: number): SubmittedUnit {
  const isReady = index % READY_EVERY === 0;
  return { id: `unit-${index}`, images: [`${isReady ? ALLOWED : REFUSED}${index}.jpg`] };
}

function environmentFor(folder: string): Record<string, string> {
  return {
    STORE: `file:${prewarmFiles(folder).storeFolder}`,
    SOURCE_ALLOW: `${ALLOWED}*`,
    PREWARM_WIDTHS: String(VARIANT.width),
    PREWARM_FORMATS: VARIANT.format,
    PREWARM_TIERS: VARIANT.tier,
  };
}

/** Stores the variants of the ready units, as an earlier run would have. */
async function storeVariants(folder: string, units: number): Promise<void> {
  const [photograph] = await readPhotographs();
  const body = await sharp(photograph?.bytes).resize(VARIANT.width).webp().toBuffer();
  const metadata = { [VARIANT_METADATA.sourceBytes]: String(photograph?.bytes.length) };
  const store = createFileStore({ root: prewarmFiles(folder).storeFolder });
  for (const { id, images } of generateUnits(units, unitAt)) {
    const src = images.find((url) => url.startsWith(ALLOWED));
    if (src === undefined) continue;
    const { key } = variantAddress({ unit: id, src, ...VARIANT }, sha256);
    await store.put(key, body, { contentType: 'image/webp', metadata });
  }
}

/** @throws Error unless every image has the expected outcome: otherwise something else was measured */
async function checkReport(path: string, units: number): Promise<void> {
  const counts: Record<string, number> = {};
  for await (const line of readReport(path)) {
    const outcome = line.state === 'broken' ? line.code : line.state;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  const ready = Math.ceil(units / READY_EVERY);
  if (counts['ready'] === ready && counts['source_forbidden'] === units - ready) return;
  throw new Error(`not ${ready} ready and the others forbidden: ${JSON.stringify(counts)}`);
}

async function postUnits(url: string, file: string, units: number): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const sent = request(url, { method: 'POST', headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  let body = '';
  const seconds = await timeSeconds(async () => {
    await pipeline(createReadStream(file), sent);
    const answer = await answered;
    body = await text(answer);
    if (answer.statusCode !== 202) throw new Error(body);
  });
  const { accepted } = JSON.parse(body) as { accepted: number };
  if (accepted !== units) throw new Error(`${accepted} units accepted instead of ${units}`);
  print(`${units} units accepted in ${seconds.toFixed(1)} s`);
}

async function countProcessedImages(url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const metrics = await response.text();
  const counts = metrics.matchAll(/^edgepress_prewarm_images_total\{[^}]*\} (\d+)$/gm);
  return sum([...counts].map(([, count]) => Number(count)));
}
