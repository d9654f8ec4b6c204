import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { printFaultHead, printTimes } from './harness/fault-table.ts';
import { median, percentile } from './harness/measurements.ts';
import { startService } from './harness/processes.ts';
import { ADMIN_HEADERS, ADMIN_TOKEN, scrape } from './harness/scrape.ts';
import { largePhotographs, serveSources } from './harness/sources.ts';
import { type Seen, view } from './harness/viewers.ts';

interface Options {
  views: number;
}

const PATIENCE_MS = 60_000;
/** So many images wait that none of the measurements sees the end of it. */
const PREWARM_IMAGES = 400;
const STARTED_MS = 3000;

export function prewarmBesideViewersCommand(): Command {
  return new Command('prewarm-beside-viewers')
    .description('the time of a miss of a viewer while prewarm works with effort best, against alone')
    .argument('[folder]', 'with photographs of 10 megapixels and more; default: enlarged ones of the demo')
    .addOption(new Option('--views <n>', 'misses of each measurement').default(20).argParser(Number))
    .action(measure);
}

async function measure(folder: string | undefined, { views }: Options): Promise<void> {
  const sources = await largePhotographs(folder);
  const origin = await serveSources(sources);
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, ADMIN_TOKEN });
  const sourceAt = (index: number) => `http://${origin.authority}/${index % sources.length}`;
  let miss = 0;
  const viewSome = async () => {
    const seen: Seen[] = [];
    while (seen.length < views) {
      const url = `${service.url}/u/viewer-${miss}?src=${encodeURIComponent(sourceAt(miss++))}&w=1080&f=webp`;
      seen.push(await view(url, PATIENCE_MS));
    }
    if (seen.some(({ status }) => status !== 200)) throw new Error('a viewer was not served');
    return seen.map(({ ms }) => ms);
  };
  await viewSome();
  const alone = await viewSome();
  const lines = Array.from({ length: PREWARM_IMAGES }, (_, index) =>
    JSON.stringify({ id: `prewarm-${index}`, images: [sourceAt(index)] }),
  );
  const response = await fetch(`${service.url}/units`, {
    ...{ method: 'POST', headers: ADMIN_HEADERS, body: lines.join('\n') },
  });
  if (!response.ok) throw new Error(`POST /units answers ${response.status}: ${await response.text()}`);
  await sleep(STARTED_MS);
  const beside = await viewSome();
  if ((await scrape(service.url, 'edgepress_queue_jobs')) === 0) throw new Error('prewarm ended too soon');
  printFaultHead();
  printTimes('median of misses beside prewarm', 'alone', median(beside), median(alone), 'at most 1.5');
  printTimes('nine in ten misses beside prewarm', 'alone', percentile(beside, 0.9), percentile(alone, 0.9));
  await service.stop();
  origin.close();
}
