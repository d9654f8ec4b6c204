import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { Hono } from 'hono';
import { pino } from 'pino';
import { z } from 'zod';
import { imageUrl } from '../src/client/image-url.ts';
import { readConfig } from '../src/config.ts';
import { type Listener, listen } from '../src/http/listen.ts';
import { startServer } from '../src/http/service.ts';
import { FORMATS } from '../src/protocol/request.ts';
import { type Case, findDifferences } from './cases/differences.ts';
import { CommandFailure, messageOf } from './cli/command.ts';
import { addExamples } from './cli/examples.ts';

const WIDTHS = [160, 1080];
const MAX_MEMORY_BYTES = 2 ** 30;

const casesSchema = z.array(
  z.object({
    file: z.string(),
    outcome: z.union([z.literal('image'), z.array(z.string())]),
    width: z.int().optional(),
    height: z.int().optional(),
    frames: z.int().default(1),
    alpha: z.boolean().default(false),
    note: z.string().optional(),
  }),
);

interface CasesOptions {
  expect: readonly string[];
  json?: true;
}

/** `cases`: requests every image of a folder through a running service and compares the responses with its cases.json. */
export function casesCommand(): Command {
  const command = new Command('cases')
    .description('request every image of a folder through the service, and compare with its cases.json')
    .argument(
      '<folder>',
      'holds the images and a cases.json: [{ file, outcome, width, height, frames, alpha }]',
    )
    .option(
      '--expect <file=outcome>',
      'what a file must end in, where its cases.json is older than a decoder: image, or an error code; may be repeated',
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option('--json', 'print NDJSON, one line per image, and one of totals at the end')
    .addHelpText('after', '\nExit status: 2 when an image does not end as its case says.')
    .action(runCases);
  return addExamples(command, [
    ['edgepress cases test/images', 'a folder of images with its cases.json'],
    ['edgepress cases test/images --expect old.bmp=image --json', 'where cases.json is older than a decoder'],
  ]);
}

async function runCases(folder: string, { expect, json }: CasesOptions): Promise<void> {
  const cases = replaceOutcomes(await readCases(folder), expect);
  const origin = await startOrigin(folder, cases);
  const store = await mkdtemp(join(tmpdir(), 'edgepress-cases-'));
  const config = readConfig({
    PORT: '0',
    STORE: `file:${store}`,
    SOURCE_ALLOW_PRIVATE: `127.0.0.1:${origin.port}`,
    WIDTHS: WIDTHS.join(','),
  });
  const server = await startServer(config, pino({ level: 'silent' }));
  let failed = 0;
  try {
    for (const one of cases) {
      const differences = await runCase(one, folder, origin.url, server.url);
      if (differences.length > 0) failed++;
      if (json) print(JSON.stringify({ file: one.file, passed: differences.length === 0, differences }));
      else for (const difference of differences) print(`${one.file}: ${difference}`);
    }
  } finally {
    await server.close();
    await origin.close(0);
    await rm(store, { recursive: true, force: true });
  }
  const [passed, peakMemoryMib] = [cases.length - failed, Math.round(peakMemoryBytes() / 2 ** 20)];
  if (json) print(JSON.stringify({ passed, failed, peakMemoryMib }));
  else print(`peak memory: ${peakMemoryMib} MiB\n${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 2;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function readCases(folder: string): Promise<readonly Case[]> {
  const path = join(folder, 'cases.json');
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new CommandFailure(`There are no cases at ${path}: ${error.message}`);
  });
  try {
    return casesSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new CommandFailure(`${path} is not a list of cases: ${messageOf(error)}`);
  }
}

/** @param expectations - `FILE=OUTCOME` each */
function replaceOutcomes(cases: readonly Case[], expectations: readonly string[]): readonly Case[] {
  const outcomes = new Map(expectations.map(parseExpectation));
  for (const file of outcomes.keys()) {
    if (!cases.some((one) => one.file === file))
      throw new CommandFailure(`--expect: there is no case with the file ${file}`);
  }
  return cases.map((one) => ({ ...one, outcome: outcomes.get(one.file) ?? one.outcome }));
}

function parseExpectation(text: string): [file: string, outcome: Case['outcome']] {
  const [, file, outcome] = /^(.+)=([a-z_]+)$/.exec(text) ?? [];
  if (file === undefined || outcome === undefined)
    throw new CommandFailure(`--expect: ${text} is not of the form FILE=OUTCOME`);
  return [file, outcome === 'image' ? 'image' : [outcome]];
}

/** Serves the images of the cases on a loopback port. */
async function startOrigin(folder: string, cases: readonly Case[]): Promise<Listener> {
  const files = new Set(cases.map(({ file }) => file));
  const origin = new Hono();
  origin.get('/*', async (c) => {
    const file = decodeURIComponent(c.req.path.slice(1));
    return files.has(file) ? new Response(await readFile(join(folder, file))) : c.notFound();
  });
  return await listen(origin, { host: '127.0.0.1', port: 0 });
}

/** Requests every format and width of an image. Each has a unit of its own, so that no cached failure answers for a broken source. */
async function runCase(one: Case, folder: string, originUrl: string, serverUrl: string): Promise<string[]> {
  const source = await readFile(join(folder, one.file));
  const src = `${originUrl}/${one.file.split('/').map(encodeURIComponent).join('/')}`;
  const differences: string[] = [];
  const peakBefore = peakMemoryBytes();
  for (const format of FORMATS) {
    for (const width of WIDTHS) {
      const url = imageUrl({ baseUrl: serverUrl, unit: `${format}-${width}`, src, width, format });
      const response = await fetch(url, { redirect: 'manual' });
      const found = await findDifferences(one, source, response, { format, width });
      differences.push(...found.map((difference) => `${format} at ${width}: ${difference}`));
    }
  }
  const peak = peakMemoryBytes();
  if (peak > MAX_MEMORY_BYTES && peak > peakBefore) {
    differences.push(`takes the process to ${Math.round(peak / 2 ** 20)} MiB of memory`);
  }
  return differences;
}

function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
