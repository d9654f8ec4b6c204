import { createReadStream } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import sharp from 'sharp';
import { readPhotographs } from '../../src/demo/demo.ts';
import { sha256 } from '../../src/hashing.ts';
import { variantAddress } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { wholeNumber } from '../command/number-within.ts';
import { requireStatus, runCommand } from './command-process.ts';
import { startProcess } from './server-process.ts';
import { type HandedUnit, readReport, unitsOf, writeUnits } from './unit-files.ts';
import { fastestParent, withFolder } from './work-folder.ts';

/** One unit in so many has its variant already; the image of any other is refused by the allowlist. */
const READY_EVERY = 10;
const VARIANT = { width: 160, tier: 'balanced', format: 'webp' } as const;
/** Nothing is fetched; and if something were, it would not leave this machine. */
const ALLOWED = 'http://127.0.0.1:1/';
const REFUSED = 'http://127.0.0.1:2/';
const TOKEN = 'bench';
const LOOK_MS = 500;

/** What was measured with so many units. */
interface Measured {
  seconds: number;
  peakBytes: number;
}

/** How one way of handing units over is measured. */
type Measure = (folder: string, units: number) => Promise<Measured>;

/**
 * The most memory that prewarm holds for a little input and for a lot, of which nothing has to be made: what differs is what the
 * length of the input costs.
 */
async function run({ units, http }: { units: number[]; http?: true }): Promise<void> {
  await compare('prewarm FILE', units, measureCommand);
  if (http) await compare('POST /units', units, measureServer);
}

async function compare(name: string, counts: readonly number[], measure: Measure): Promise<void> {
  let first: number | undefined;
  for (const units of counts) {
    const { peakBytes, seconds } = await withFolder(fastestParent(), async (folder) => {
      await writeUnits(inputIn(folder), unitsOf(units, unitOf));
      await keepVariants(folder, units);
      return await measure(folder, units);
    });
    first ??= peakBytes;
    const memory = `${Math.round(peakBytes / 2 ** 20)} MiB at most, ratio ${(peakBytes / first).toFixed(2)}`;
    process.stdout.write(`${name}: ${units} units: ${memory}; ${seconds.toFixed(1)} s\n`);
  }
}

async function measureCommand(folder: string, units: number): Promise<Measured> {
  const report = join(folder, 'report.jsonl');
  const end = await runCommand(['prewarm', inputIn(folder), '--report', report], environmentIn(folder));
  requireStatus(end, 2);
  await checkReport(report, units);
  return { seconds: end.seconds, peakBytes: end.peakMemoryBytes };
}

/** All in one request, and then until the last unit is off the queue. */
async function measureServer(folder: string, units: number): Promise<Measured> {
  const env = { ...environmentIn(folder), PORT: '0', ADMIN_TOKEN: TOKEN };
  const server = await startProcess('src/entry/server.ts', env);
  try {
    const start = performance.now();
    await post(`${server.url}/units`, inputIn(folder), units);
    while ((await imagesTaken(server.url)) < units) await wait(LOOK_MS);
    return { seconds: (performance.now() - start) / 1000, peakBytes: await server.peakMemoryBytes() };
  } finally {
    await server.stop();
  }
}

function unitOf(index: number): HandedUnit {
  return { id: `unit-${index}`, images: [`${isReady(index) ? ALLOWED : REFUSED}${index}.jpg`] };
}

function isReady(index: number): boolean {
  return index % READY_EVERY === 0;
}

function environmentIn(folder: string): Record<string, string> {
  return {
    STORE: `file:${storeIn(folder)}`,
    SOURCE_ALLOW: `${ALLOWED}*`,
    PREWARM_WIDTHS: String(VARIANT.width),
    PREWARM_FORMATS: VARIANT.format,
    PREWARM_TIERS: VARIANT.tier,
  };
}

/** Puts into the store what an earlier run would have. */
async function keepVariants(folder: string, units: number): Promise<void> {
  const [photograph] = await readPhotographs();
  const body = await sharp(photograph?.bytes).resize(VARIANT.width).webp().toBuffer();
  const metadata = { 'source-bytes': String(photograph?.bytes.length) };
  const store = createFileStore({ root: storeIn(folder) });
  for (const { id, images } of unitsOf(units, unitOf)) {
    const src = images.find((url) => url.startsWith(ALLOWED));
    if (src === undefined) continue;
    const { key } = variantAddress({ unit: id, src, ...VARIANT }, sha256);
    await store.put(key, body, { contentType: 'image/webp', metadata });
  }
}

/** @throws Error unless every image came to what it was meant to come to: else something else was measured */
async function checkReport(path: string, units: number): Promise<void> {
  const counts: Record<string, number> = {};
  for await (const line of readReport(path)) {
    const kind = line.state === 'broken' ? line.code : line.state;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  const ready = Math.ceil(units / READY_EVERY);
  if (counts['ready'] === ready && counts['source_forbidden'] === units - ready) return;
  throw new Error(`not ${ready} ready and the others forbidden: ${JSON.stringify(counts)}`);
}

async function post(url: string, file: string, units: number): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const sent = request(url, { method: 'POST', headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  const start = performance.now();
  await pipeline(createReadStream(file), sent);
  const answer = await answered;
  const body = await text(answer);
  if (answer.statusCode !== 202) throw new Error(body);
  const { accepted } = JSON.parse(body) as { accepted: number };
  if (accepted !== units) throw new Error(`${accepted} units accepted instead of ${units}`);
  process.stdout.write(`${units} units accepted in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

async function imagesTaken(url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const metrics = await response.text();
  const counts = metrics.matchAll(/^edgepress_prewarm_images_total\{[^}]*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

function inputIn(folder: string): string {
  return join(folder, 'units.jsonl');
}

function storeIn(folder: string): string {
  return join(folder, 'store');
}

const numbers = (list: string) => list.split(',').map(wholeNumber);

await new Command('prewarm-memory')
  .description('measure the most memory that prewarm holds, by the length of its input')
  .option('--units <list>', 'how many', numbers, [1_000, 100_000])
  .option('--http', 'hand them to a running server too, in one request')
  .action(run)
  .parseAsync();
