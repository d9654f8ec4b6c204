import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { printTableHead } from './harness/comparison.ts';
import { startNginx } from './harness/nginx.ts';
import { numbersOption, roundsOption, secondsOption } from './harness/options.ts';
import { type ServerProcess, startServer, startService } from './harness/processes.ts';
import { type BenchSource, largePhotographs, serveSources } from './harness/sources.ts';
import { withFolder } from './harness/work-files.ts';
import { compareHits, type HitsOptions, kilobytesOf } from './hits/compare-hits.ts';
import { measureS3Hits } from './hits/s3-hits.ts';
import { type StoredVariant, storeVariants } from './hits/stored-variants.ts';

/** How many photographs have variants of the wanted sizes made. */
const SOURCES = 2;

export function hitsCommand(): Command {
  const command = new Command('hits')
    .description('stored variants, as ratios to a bare node:http server and nginx')
    .argument('[folder]', 'with photographs of 10 megapixels and more; default: enlarged ones of the demo');
  for (const option of [...hitsOptions(), roundsOption()]) command.addOption(option);
  return command.action(async (folder: string | undefined, options: HitsOptions) => {
    printTableHead();
    await measureHits(await largePhotographs(folder), options);
  });
}

/** The options of {@link measureHits}, but for the number of rounds. */
export function hitsOptions(): Option[] {
  return [
    numbersOption('--connections <numbers>', 'connections of hits', [1, 16, 256]),
    numbersOption('--kilobytes <numbers>', 'sizes of hits', [10, 180]),
    secondsOption(),
    new Option('--no-s3', 'leave out hits in an S3 store'),
  ];
}

/** Prints lines of hits from the file store, with the log on, against servers that send the same bytes and headers. */
export async function measureHits(sources: readonly BenchSource[], options: HitsOptions): Promise<void> {
  const origin = await serveSources(sources);
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
  const sizes = options.kilobytes.map((size) => size * 1000);
  const urls = sources.slice(0, SOURCES).map((_, index) => `http://${origin.authority}/${index}`);
  for (const variant of await storeVariants(service.url, urls, sizes))
    await withFolder(tmpdir(), (folder) => measureVariant(folder, service, variant, options));
  await service.stop();
  if (options.s3) await measureS3Hits(urls, origin.authority, options);
  origin.close();
}

async function measureVariant(
  folder: string,
  service: ServerProcess,
  { url, body, headers }: StoredVariant,
  options: HitsOptions,
): Promise<void> {
  const path = join(folder, 'body');
  await writeFile(path, body);
  const bare = await startServer('scripts/bench/harness/bare-server.ts', {
    BODY: path,
    HEADERS: JSON.stringify(headers),
  });
  const nginx = await startNginx(path, headers);
  const peers = [
    { name: 'node:http from memory, without a log', server: bare },
    ...(nginx ? [{ name: 'nginx, sendfile, one process', server: nginx }] : []),
  ];
  const own = { name: 'edgepress', server: { ...service, url } };
  await compareHits(`hit: ${kilobytesOf(body)}`, [own, ...peers], options);
  await Promise.all(peers.map(({ server }) => server.stop()));
}
