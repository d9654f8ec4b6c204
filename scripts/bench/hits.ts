import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { readPhotographs } from '../../src/demo/demo.ts';
import { median, print } from './harness/measurements.ts';
import { type ServerProcess, startServer, startService } from './harness/processes.ts';
import { serveSources } from './harness/sources.ts';
import { withFolder } from './harness/work-files.ts';
import { runWrk } from './harness/wrk.ts';

const CONNECTIONS = 16;

interface HitsOptions {
  seconds: number;
  rounds: number;
}

export function hitsCommand(): Command {
  return new Command('hits')
    .description('answer requests for a stored variant, as a ratio to a bare node:http server')
    .option('--seconds <n>', 'duration of each measurement', Number, 5)
    .option('--rounds <n>', 'number of rounds', Number, 3)
    .action(measureHits);
}

/** Hits from the file store, against a bare `node:http` server that sends the same bytes. */
async function measureHits(options: HitsOptions): Promise<void> {
  const [photograph] = await readPhotographs();
  if (!photograph) throw new Error('no photograph');
  const origin = await serveSources([{ ...photograph, megapixels: 0.8 }]);
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
  try {
    const src = `http://${origin.authority}/0`;
    const url = await buildImageUrl({ baseUrl: service.url, unit: 'bench', src, format: 'jpeg' });
    await (await fetch(url)).arrayBuffer();
    const hit = await fetch(url);
    const body = Buffer.from(await hit.arrayBuffer());
    await withFolder(tmpdir(), async (folder) => {
      const bare = await startBareServer(join(folder, 'body'), body, hit.headers);
      try {
        const ratios = await compareRates(url, bare, options);
        print(`${body.byteLength} bytes, ${CONNECTIONS} connections: ${ratios}`);
      } finally {
        await bare.stop();
      }
    });
  } finally {
    await service.stop();
    origin.close();
  }
}

async function startBareServer(path: string, body: Buffer, hitHeaders: Headers): Promise<ServerProcess> {
  await writeFile(path, body);
  const { date, connection, 'keep-alive': _, ...headers } = Object.fromEntries(hitHeaders);
  const env = { BODY: path, HEADERS: JSON.stringify(headers) };
  return await startServer('scripts/bench/harness/bare-server.ts', env);
}

/** @returns the median ratios as text */
async function compareRates(
  url: string,
  bare: ServerProcess,
  { seconds, rounds }: HitsOptions,
): Promise<string> {
  const ratios = { memory: [] as number[], file: [] as number[] };
  const rate = async (target: string) => (await runWrk(target, CONNECTIONS, seconds)).perSecond;
  for (let round = 1; round <= rounds; round++) {
    const memory = await rate(`${bare.url}/memory`);
    const file = await rate(`${bare.url}/file`);
    const hits = await rate(url);
    ratios.memory.push(hits / memory);
    ratios.file.push(hits / file);
    const rates = [memory, file, hits].map((rate) => rate.toFixed(0));
    print(
      `round ${round}: node:http from memory ${rates[0]}/s, from a file ${rates[1]}/s; stored variants ${rates[2]}/s`,
    );
  }
  const [toMemory, toFile] = [median(ratios.memory), median(ratios.file)].map((ratio) => ratio.toFixed(2));
  return `median ratio to memory ${toMemory}, to a file ${toFile}`;
}
