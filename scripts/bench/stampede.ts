import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { startService } from './server-process.ts';
import { serveSources } from './sources.ts';

/** What a hundred simultaneous requests for a new variant cost, beside what one costs. */
async function run(file: string, { requests }: { requests: number }): Promise<void> {
  const origin = await serveSources([{ name: file, bytes: await readFile(file), megapixels: 0 }]);
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
  const stampede = async (unit: string, count: number) => {
    const before = { requests: origin.counted.requests, cpuMs: await service.cpuMs() };
    const src = `http://${origin.authority}/0`;
    const url = await buildImageUrl({ baseUrl: service.url, unit, src, format: 'avif' });
    const start = performance.now();
    await Promise.all(Array.from({ length: count }, async () => (await fetch(url)).arrayBuffer()));
    const ms = performance.now() - start;
    const fetches = origin.counted.requests - before.requests;
    const cpuMs = (await service.cpuMs()) - before.cpuMs;
    process.stdout.write(
      `${count} at once: ${ms.toFixed(0)} ms, ${cpuMs} ms of processor time, ${fetches} fetch\n`,
    );
  };
  await stampede('warm-up', 1);
  await stampede('one', 1);
  await stampede('many', requests);
  const memory = Math.round((await service.peakMemoryBytes()) / 2 ** 20);
  process.stdout.write(`peak memory of the server: ${memory} MiB\n`);
  await service.stop();
  origin.close();
}

await new Command('stampede')
  .description('ask for one new variant many times at once')
  .argument('<image>', 'the original')
  .option('--requests <n>', 'how many', Number, 100)
  .action(run)
  .parseAsync();
