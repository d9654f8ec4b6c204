import { Command } from 'commander';
import PQueue from 'p-queue';
import sharp from 'sharp';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { MAX_SIDE, toEncoding } from '../../src/encode/encodings.ts';
import { fastSetting } from '../../src/encode/tier-quality.ts';
import { startService } from './server-process.ts';
import { type BenchSource, readSources, serveSources } from './sources.ts';

/** Encodes at once, bare and in the server. */
const CONCURRENCY = 2;
const WIDTH = 1080;
const MIN_MEGAPIXELS = 10;
const WARM_UP_ROUNDS = 2;

/** New variants through the HTTP server, against bare sharp doing the same to the same bytes in the same run. */
async function run(
  folder: string,
  { rounds, inFlight }: { rounds: number; inFlight: number },
): Promise<void> {
  const sources = await readSources(folder, MIN_MEGAPIXELS);
  const origin = await serveSources(sources);
  const service = await startService({
    SOURCE_ALLOW_PRIVATE: origin.authority,
    CONCURRENCY: String(CONCURRENCY),
  });
  sharp.concurrency(1);
  sharp.cache(false);
  const total = { bare: 0, http: 0 };
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
    const bare = await timed(sources, CONCURRENCY, ({ bytes }) => encodeBare(bytes));
    const http = await timed(sources, inFlight, async (_source, index) => {
      const src = `http://${origin.authority}/${index}?round=${round}`;
      const unit = `bench-${round}`;
      const response = await fetch(
        await buildImageUrl({ baseUrl: service.url, unit, src, width: WIDTH, format: 'avif' }),
      );
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
    });
    // The first rounds are there to warm up.
    if (round < WARM_UP_ROUNDS) continue;
    total.bare += bare;
    total.http += http;
    print(`round ${round - WARM_UP_ROUNDS + 1}`, sources.length, bare, http);
  }
  print('all', sources.length * rounds, total.bare, total.http);
  process.stdout.write(
    `peak memory of the server: ${Math.round((await service.peakMemoryBytes()) / 2 ** 20)} MiB\n`,
  );
  await service.stop();
  origin.close();
}

/** The pipeline of the service, and nothing around it. */
async function encodeBare(bytes: Buffer): Promise<void> {
  const image = sharp(bytes, { failOn: 'warning' })
    .autoOrient()
    .resize({ width: WIDTH, height: MAX_SIDE.avif, fit: 'inside', withoutEnlargement: true });
  await toEncoding(
    image,
    fastSetting('avif', 'balanced', { contentClass: 'photo', width: WIDTH, height: WIDTH }),
  ).toBuffer();
}

/** Seconds that it takes to do this to each source, so many in flight. */
async function timed(
  sources: readonly BenchSource[],
  concurrency: number,
  work: (source: BenchSource, index: number) => Promise<void>,
): Promise<number> {
  const queue = new PQueue({ concurrency });
  const start = performance.now();
  await Promise.all(sources.map((source, index) => queue.add(() => work(source, index))));
  return (performance.now() - start) / 1000;
}

function print(name: string, images: number, bareSeconds: number, httpSeconds: number): void {
  const [bare, http] = [images / bareSeconds, images / httpSeconds];
  const line = `${name}: ${images} images; bare sharp ${bare.toFixed(2)}/s, over HTTP ${http.toFixed(2)}/s, ratio ${(http / bare).toFixed(3)}`;
  process.stdout.write(`${line}\n`);
}

await new Command('throughput')
  .description(
    `make ${WIDTH} px AVIF of the images of a folder with ${MIN_MEGAPIXELS} megapixels or more, ${CONCURRENCY} at once`,
  )
  .argument('<folder>')
  .option('--rounds <n>', 'how often', Number, 5)
  .option(
    '--in-flight <n>',
    'requests at once: with more than encodes, one is fetched while another is encoded',
    Number,
    CONCURRENCY,
  )
  .action(run)
  .parseAsync();
