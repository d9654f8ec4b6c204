import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { imageUrl } from '../../src/client/image-url.ts';
import { formatMebibytes, print, timeSeconds } from './harness/measurements.ts';
import { startService } from './harness/processes.ts';
import { serveSources } from './harness/sources.ts';

export function stampedeCommand(): Command {
  return new Command('stampede')
    .description('request one new variant many times concurrently, against a single request')
    .argument('<image>', 'the original')
    .option('--requests <n>', 'number of concurrent requests', Number, 100)
    .action(measureStampede);
}

/** The time, CPU time and fetches of a hundred simultaneous requests for a new variant, against those of one request. */
async function measureStampede(file: string, { requests }: { requests: number }): Promise<void> {
  const origin = await serveSources([{ name: file, bytes: await readFile(file), megapixels: 0 }]);
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
  const requestVariant = async (unit: string, count: number) => {
    const before = { requests: origin.counts.requests, cpuMs: service.cpuTimes().all };
    const src = `http://${origin.authority}/0`;
    const url = imageUrl({ baseUrl: service.url, unit, src, format: 'avif' });
    const seconds = await timeSeconds(() =>
      Promise.all(Array.from({ length: count }, async () => (await fetch(url)).arrayBuffer())),
    );
    const fetches = origin.counts.requests - before.requests;
    const cpuMs = service.cpuTimes().all - before.cpuMs;
    print(
      `${count} concurrently: ${(seconds * 1000).toFixed(0)} ms, ${cpuMs} ms of CPU time, ${fetches} fetch`,
    );
  };
  await requestVariant('warm-up', 1);
  await requestVariant('one', 1);
  await requestVariant('many', requests);
  print(`peak memory of the server: ${formatMebibytes(service.peakMemoryBytes())}`);
  await service.stop();
  origin.close();
}
