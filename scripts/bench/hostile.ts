import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { formatMs } from './harness/comparison.ts';
import { printFault, printFaultHead } from './harness/fault-table.ts';
import { createMainThreadMeter, type Stretch } from './harness/main-thread.ts';
import { startService } from './harness/processes.ts';
import { ADMIN_HEADERS, ADMIN_TOKEN } from './harness/scrape.ts';
import { withFolder } from './harness/work-files.ts';
import { HOSTILE_INPUTS, type HostileInput } from './hostile/inputs.ts';

/** The longest that the main thread should work at a stretch: others wait meanwhile. */
const AIM_MS = 20;
const PATIENCE_MS = 120_000;
/** What is left to do after an answer shows within this time. */
const AFTER_MS = 300;

export function hostileCommand(): Command {
  return new Command('hostile')
    .description('how long hostile inputs take, and the longest stretch of the main thread meanwhile')
    .addOption(new Option('--only <text>', 'only inputs whose name has this text'))
    .action(measure);
}

async function measure({ only = '' }: { only?: string }): Promise<void> {
  let served: Uint8Array<ArrayBuffer> = new Uint8Array();
  const origin = createServer((_request, response) => response.end(served));
  await new Promise<void>((listening) => origin.listen(0, '127.0.0.1', listening));
  const authority = `127.0.0.1:${(origin.address() as AddressInfo).port}`;
  await withFolder(tmpdir(), async (folder) => {
    const meter = createMainThreadMeter(folder);
    const service = await startService({ SOURCE_ALLOW_PRIVATE: authority, ADMIN_TOKEN, ...meter.env });
    const send = async ({ path }: HostileInput, index: number) => {
      const src = encodeURIComponent(`http://${authority}/${index}`);
      const image = `${service.url}/u/hostile-${index}?src=${src}&w=320&f=jpeg`;
      const signal = AbortSignal.timeout(PATIENCE_MS);
      if (path === 'image') return await fetch(image, { signal });
      return await fetch(service.url + path, {
        method: 'POST',
        headers: ADMIN_HEADERS,
        body: served,
        signal,
      });
    };
    printFaultHead();
    const longest: Stretch[] = [];
    for (const [index, input] of HOSTILE_INPUTS.filter(({ name }) => name.includes(only)).entries()) {
      served = Uint8Array.from(await input.make());
      // The first answer of a process compiles its code.
      if (index === 0) await (await send(input, 1000)).arrayBuffer();
      await sleep(AFTER_MS);
      meter.take();
      const start = performance.now();
      const answer = await send(input, index).then(readOutcome, (error: Error) => error.message);
      const ms = performance.now() - start;
      await sleep(AFTER_MS);
      const stretch = meter.take();
      longest.push(stretch);
      printStretch(
        `${input.name} (${(served.length / 1000).toFixed(0)} kB): ${answer} after ${formatMs(ms)}`,
        stretch,
      );
    }
    printStretch(
      'the longest of all',
      longest.toSorted((a, b) => b.cpuMs - a.cpuMs)[0] ?? { cpuMs: 0, wallMs: 0 },
    );
    await service.stop();
  });
  origin.close();
}

async function readOutcome(response: Response): Promise<string> {
  const body = await response.text();
  const [, code] = response.ok ? [] : (/"code":"(\w+)"/.exec(body) ?? []);
  return code === undefined ? String(response.status) : `${response.status} ${code}`;
}

function printStretch(measured: string, { cpuMs, wallMs }: Stretch): void {
  printFault({
    ...{ measured, comparedWith: `${AIM_MS} ms of the main thread at a stretch`, ratio: cpuMs / AIM_MS },
    each: `${formatMs(cpuMs)} of CPU time (${formatMs(wallMs)} from beginning to end)`,
    aim: 'at most 1',
  });
}
