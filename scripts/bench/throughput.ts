import { Command } from 'commander';
import PQueue from 'p-queue';
import sharp from 'sharp';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { formatMebibytes, print, timeSeconds } from './harness/measurements.ts';
import { startService } from './harness/processes.ts';
import { type BenchSource, encodeBare, readSources, serveSources } from './harness/sources.ts';

/** Concurrent encodes, bare and in the server. */
const CONCURRENCY = 2;
const WIDTH = 1080;
const MIN_MEGAPIXELS = 10;
const WARM_UP_ROUNDS = 2;

interface ThroughputOptions {
  rounds: number;
  inFlight: number;
}

export function throughputCommand(): Command {
  return new Command('throughput')
    .description(
      `make ${WIDTH} px AVIF of the images of a folder with ${MIN_MEGAPIXELS} megapixels or more, ${CONCURRENCY} concurrently`,
    )
    .argument('<folder>')
    .option('--rounds <n>', 'number of rounds', Number, 5)
    .option(
      '--in-flight <n>',
      'concurrent requests: with more than encodes, one is fetched while another is encoded',
      Number,
      CONCURRENCY,
    )
    .action(measureThroughput);
}

/** Misses through the HTTP server, against bare sharp with the same bytes in the same run. */
async function measureThroughput(folder: string, { rounds, inFlight }: ThroughputOptions): Promise<void> {
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
    const bare = await timeAll(sources, CONCURRENCY, ({ bytes }) => encodeBare(bytes, WIDTH));
    const http = await timeAll(sources, inFlight, async (_source, index) => {
      const src = `http://${origin.authority}/${index}?round=${round}`;
      const unit = `bench-${round}`;
      const response = await fetch(
        await buildImageUrl({ baseUrl: service.url, unit, src, width: WIDTH, format: 'avif' }),
      );
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
    });
    if (round < WARM_UP_ROUNDS) continue;
    total.bare += bare;
    total.http += http;
    printRates(`round ${round - WARM_UP_ROUNDS + 1}`, sources.length, bare, http);
  }
  printRates('all', sources.length * rounds, total.bare, total.http);
  print(`peak memory of the server: ${formatMebibytes(service.peakMemoryBytes())}`);
  await service.stop();
  origin.close();
}

/** @returns the seconds that the work on all sources takes with this concurrency */
async function timeAll(
  sources: readonly BenchSource[],
  concurrency: number,
  work: (source: BenchSource, index: number) => Promise<void>,
): Promise<number> {
  const queue = new PQueue({ concurrency });
  return await timeSeconds(() =>
    Promise.all(sources.map((source, index) => queue.add(() => work(source, index)))),
  );
}

function printRates(name: string, images: number, bareSeconds: number, httpSeconds: number): void {
  const [bare, http] = [images / bareSeconds, images / httpSeconds];
  print(
    `${name}: ${images} images; bare sharp ${bare.toFixed(2)}/s, over HTTP ${http.toFixed(2)}/s, ratio ${(http / bare).toFixed(3)}`,
  );
}
