import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { readPhotographs } from '../../src/demo/demo.ts';
import { startProcess, startService } from './server-process.ts';
import { serveSources } from './sources.ts';

const CONNECTIONS = 16;
const run = promisify(execFile);

/** Stored variants out of the folder, against a bare `node:http` server that sends the same bytes. */
async function measure({ seconds, rounds }: { seconds: number; rounds: number }): Promise<void> {
  const [photograph] = await readPhotographs();
  if (!photograph) throw new Error('no photograph');
  const origin = await serveSources([{ ...photograph, megapixels: 0.8 }]);
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
  const src = `http://${origin.authority}/0`;
  const url = await buildImageUrl({ baseUrl: service.url, unit: 'bench', src, format: 'jpeg' });
  await (await fetch(url)).arrayBuffer();
  const hit = await fetch(url);
  const body = Buffer.from(await hit.arrayBuffer());
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-bench-'));
  const path = join(folder, 'body');
  await writeFile(path, body);
  const { date, connection, 'keep-alive': _, ...headers } = Object.fromEntries(hit.headers);
  const bare = await startProcess('scripts/bench/bare-server.ts', {
    BODY: path,
    HEADERS: JSON.stringify(headers),
  });

  const ratios = { memory: [] as number[], file: [] as number[] };
  for (let round = 1; round <= rounds; round++) {
    const memory = await requestsPerSecond(`${bare.url}/memory`, seconds);
    const file = await requestsPerSecond(`${bare.url}/file`, seconds);
    const ours = await requestsPerSecond(url, seconds);
    ratios.memory.push(ours / memory);
    ratios.file.push(ours / file);
    const rates = [memory, file, ours].map((rate) => rate.toFixed(0));
    process.stdout.write(
      `round ${round}: node:http from memory ${rates[0]}/s, from a file ${rates[1]}/s; stored variants ${rates[2]}/s\n`,
    );
  }
  const summary = `median ratio to memory ${median(ratios.memory)}, to a file ${median(ratios.file)}`;
  process.stdout.write(`${body.byteLength} bytes, ${CONNECTIONS} connections: ${summary}\n`);
  await Promise.all([service.stop(), bare.stop(), rm(folder, { recursive: true })]);
  origin.close();
}

function median(ratios: number[]): string {
  return ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)]?.toFixed(2) ?? 'none';
}

/** By wrk, which takes a fraction of what Node would to ask. */
async function requestsPerSecond(url: string, seconds: number): Promise<number> {
  const { stdout } = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, url]).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error('wrk is missing: apt-get install wrk') : error;
    },
  );
  if (/Non-2xx/.test(stdout)) throw new Error(`not all were answered:\n${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

await new Command('hits')
  .description('answer requests for a stored variant, as a ratio to a bare node:http server')
  .option('--seconds <n>', 'of each measurement', Number, 5)
  .option('--rounds <n>', 'how often', Number, 3)
  .action(measure)
  .parseAsync();
