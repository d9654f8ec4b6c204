import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import PQueue from 'p-queue';
import { buildImageUrl } from '../../src/client/image-url.ts';
import type { Format } from '../../src/protocol/request.ts';
import { type ServerProcess, startService } from './server-process.ts';
import { readSources, serveSources } from './sources.ts';

const CONCURRENCY = 2;
const MIN_MEGAPIXELS = 10;
const FORMATS: readonly Format[] = ['avif', 'webp'];
const TOKEN = 'bench';
const LOOK_MS = 20;

/** A ladder of variants of each source, prewarmed as a unit, against the same variants requested one by one in the same run. */
async function run(
  folder: string,
  { rounds, widths }: { rounds: number; widths: readonly number[] },
): Promise<void> {
  const sources = await readSources(folder, MIN_MEGAPIXELS);
  const origin = await serveSources(sources);
  const service = await startService({
    SOURCE_ALLOW_PRIVATE: origin.authority,
    CONCURRENCY: String(CONCURRENCY),
    ADMIN_TOKEN: TOKEN,
  });
  const total = { requested: 0, prewarmed: 0 };
  for (let round = 0; round <= rounds; round++) {
    const urls = sources.map((_source, index) => `http://${origin.authority}/${index}?round=${round}`);
    const requested = await timed(() => requestAll(service, urls, widths, `requested-${round}`));
    const prewarmed = await timed(() => prewarmAll(service, urls, widths, `prewarmed-${round}`));
    // The first round is there to warm up.
    if (round === 0) continue;
    total.requested += requested;
    total.prewarmed += prewarmed;
    print(`round ${round}`, sources.length, requested, prewarmed);
  }
  print('all', sources.length * rounds, total.requested, total.prewarmed);
  process.stdout.write(`peak memory: ${Math.round((await service.peakMemoryBytes()) / 2 ** 20)} MiB\n`);
  await service.stop();
  origin.close();
}

/** As many images at once as there are encoders; the variants of each one after the other. */
async function requestAll(
  service: ServerProcess,
  urls: readonly string[],
  widths: readonly number[],
  unit: string,
): Promise<void> {
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const requestImage = async (src: string) => {
    for (const width of widths) {
      for (const format of FORMATS) {
        const said = { baseUrl: service.url, unit, src, width, tier: 'balanced', format } as const;
        const response = await fetch(await buildImageUrl(said));
        if (!response.ok) throw new Error(await response.text());
        await response.arrayBuffer();
      }
    }
  };
  await Promise.all(urls.map((src) => queue.add(() => requestImage(src))));
}

async function prewarmAll(
  service: ServerProcess,
  urls: readonly string[],
  widths: readonly number[],
  unit: string,
): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const body = JSON.stringify({ id: unit, images: urls, widths, formats: FORMATS });
  const accepted = await fetch(`${service.url}/units`, { method: 'POST', headers, body });
  if (accepted.status !== 202) throw new Error(await accepted.text());
  for (;;) {
    const response = await fetch(`${service.url}/units/${unit}`, { headers });
    const { totals } = (await response.json()) as { totals: Record<string, number> };
    if (totals['broken'] !== 0) throw new Error('an image is broken');
    if (totals['ready'] === urls.length) return;
    await wait(LOOK_MS);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function print(name: string, images: number, requestedSeconds: number, prewarmedSeconds: number): void {
  const [requested, prewarmed] = [images / requestedSeconds, images / prewarmedSeconds];
  process.stdout.write(
    `${name}: ${images} images; requested ${requested.toFixed(2)}/s, prewarmed ${prewarmed.toFixed(2)}/s, ratio ${(prewarmed / requested).toFixed(2)}\n`,
  );
}

await new Command('prewarm-ladder')
  .description(`prewarm the images of a folder with ${MIN_MEGAPIXELS} megapixels or more`)
  .argument('<folder>')
  .option('--rounds <n>', 'how often', Number, 3)
  .option('--widths <list>', 'the ladder', (list) => list.split(',').map(Number), [480, 720, 1080])
  .action(run)
  .parseAsync();
