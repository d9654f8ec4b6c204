import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import PQueue from 'p-queue';
import { imageUrl } from '../../src/client/image-url.ts';
import type { Format } from '../../src/protocol/request.ts';
import { formatMebibytes, print, timeSeconds } from './harness/measurements.ts';
import { type ServerProcess, startService } from './harness/processes.ts';
import { readSources, serveSources } from './harness/sources.ts';

const CONCURRENCY = 2;
const MIN_MEGAPIXELS = 10;
const FORMATS: readonly Format[] = ['avif', 'webp'];
const TOKEN = 'bench-token';
const POLL_MS = 20;

interface LadderOptions {
  rounds: number;
  widths: readonly number[];
}

/** Images to make, and where. */
interface Batch {
  service: ServerProcess;
  unit: string;
  urls: readonly string[];
  widths: readonly number[];
}

export function prewarmLadderCommand(): Command {
  return new Command('prewarm-ladder')
    .description(
      `prewarm the images of a folder with ${MIN_MEGAPIXELS} megapixels or more, against requests one by one`,
    )
    .argument('<folder>')
    .option('--rounds <n>', 'number of rounds', Number, 3)
    .option('--widths <list>', 'the ladder', (list) => list.split(',').map(Number), [480, 720, 1080])
    .action(measureLadder);
}

/** All variants of each source prewarmed as a unit, against the same variants requested one by one in the same run. */
async function measureLadder(folder: string, { rounds, widths }: LadderOptions): Promise<void> {
  const sources = await readSources(folder, MIN_MEGAPIXELS);
  const origin = await serveSources(sources);
  const service = await startService({
    SOURCE_ALLOW_PRIVATE: origin.authority,
    CONCURRENCY: String(CONCURRENCY),
    ADMIN_TOKEN: TOKEN,
    // Requests are `fast`: only so is it the same work.
    PREWARM_EFFORT: 'fast',
  });
  const total = { requested: 0, prewarmed: 0 };
  for (let round = 0; round <= rounds; round++) {
    const urls = sources.map((_source, index) => `http://${origin.authority}/${index}?round=${round}`);
    const batch = { service, urls, widths };
    const requested = await timeSeconds(() => requestAll({ ...batch, unit: `requested-${round}` }));
    const prewarmed = await timeSeconds(() => prewarmAll({ ...batch, unit: `prewarmed-${round}` }));
    // The first round warms up.
    if (round === 0) continue;
    total.requested += requested;
    total.prewarmed += prewarmed;
    printRates(`round ${round}`, sources.length, requested, prewarmed);
  }
  printRates('all', sources.length * rounds, total.requested, total.prewarmed);
  print(`peak memory: ${formatMebibytes(service.peakMemoryBytes())}`);
  await service.stop();
  origin.close();
}

/** Requests as many images concurrently as there are encoders, and the variants of each image one after the other. */
async function requestAll({ service, unit, urls, widths }: Batch): Promise<void> {
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const requestImage = async (src: string) => {
    for (const width of widths) {
      for (const format of FORMATS) {
        const options = { baseUrl: service.url, unit, src, width, tier: 'balanced', format } as const;
        const response = await fetch(imageUrl(options));
        if (!response.ok) throw new Error(await response.text());
        await response.arrayBuffer();
      }
    }
  };
  await Promise.all(urls.map((src) => queue.add(() => requestImage(src))));
}

async function prewarmAll({ service, unit, urls, widths }: Batch): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const body = JSON.stringify({ id: unit, images: urls, widths, formats: FORMATS });
  const submitted = await fetch(`${service.url}/units`, { method: 'POST', headers, body });
  if (submitted.status !== 202) throw new Error(await submitted.text());
  for (;;) {
    const response = await fetch(`${service.url}/units/${unit}`, { headers });
    const { totals } = (await response.json()) as { totals: Record<string, number> };
    if (totals['broken'] !== 0) throw new Error('an image is broken');
    if (totals['ready'] === urls.length) return;
    await sleep(POLL_MS);
  }
}

function printRates(name: string, images: number, requestedSeconds: number, prewarmedSeconds: number): void {
  const [requested, prewarmed] = [images / requestedSeconds, images / prewarmedSeconds];
  print(
    `${name}: ${images} images; requested ${requested.toFixed(2)}/s, prewarmed ${prewarmed.toFixed(2)}/s, ratio ${(prewarmed / requested).toFixed(2)}`,
  );
}
