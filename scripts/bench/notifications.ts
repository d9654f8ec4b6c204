import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import sharp from 'sharp';
import type { UnitEvent } from '../../src/notify/unit-event.ts';
import { wholeNumber } from '../cli/options.ts';
import { print } from './harness/measurements.ts';
import { bundledServer, type ServerProcess, startServer } from './harness/processes.ts';
import { withFolder } from './harness/work-files.ts';

const TOKEN = 'bench-token';
const SECRET = `whsec_${Buffer.alloc(32, 'bench').toString('base64')}`;
/** Every tenth unit has a broken image. */
const BROKEN_EVERY = 10;
/** The receiver refuses so many requests, and closes so many connections after it has taken the event, at random. */
const REFUSED_SHARE = 0.05;
const CUT_OFF_SHARE = 0.02;
/** The longest time from an awaited event to the kill. */
const MAX_KILL_DELAY_MS = 300;
const POLL_MS = 5;

export function notificationsCommand(): Command {
  return new Command('notifications')
    .description(
      'kill the server at random moments, and count the events about units that are lost or come twice',
    )
    .option('--units <n>', 'number of units', wholeNumber, 1000)
    .option('--kills <n>', 'number of kills', wholeNumber, 10)
    .action(async (options: { units: number; kills: number }) => {
      await withFolder(tmpdir(), (folder) => checkNotifications(options, folder));
    });
}

/** The events that a receiver gets while the server is killed, and those in a file, against the units that were sent. */
async function checkNotifications({ units, kills }: { units: number; kills: number }, folder: string) {
  const images = await serveImage();
  const receiver = await startReceiver();
  const file = join(folder, 'events.ndjson');
  const env = {
    ...{ STORE: `file:${join(folder, 'store')}`, PORT: '0', ADMIN_TOKEN: TOKEN, NOTIFY_SECRET: SECRET },
    ...{ NOTIFY: `${receiver.url}/,file:${file}`, NOTIFY_ALLOW_PRIVATE: receiver.authority },
    ...{ SOURCE_ALLOW_PRIVATE: images.authority, LOG_LEVEL: 'info' },
    ...{ PREWARM_WIDTHS: '160', PREWARM_FORMATS: 'webp', PREWARM_EFFORT: 'fast' },
  };
  const startedAtMs = performance.now();
  let server = await startServer(bundledServer(), env);
  await sendUnits(server, units, images.authority);
  const told = () => new Set(receiver.events.map(({ data }) => data.unit)).size;
  for (let kill = 1; kill <= kills; kill++) {
    await until(() => told() >= ((kill - Math.random()) * units) / (kills + 1));
    await sleep(Math.random() * MAX_KILL_DELAY_MS);
    process.kill(server.pid, 'SIGKILL');
    server = await startServer(bundledServer(), env);
  }
  await until(() => told() === units);
  // Stops when what is in flight has been told.
  await server.stop();
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  print(`${units} units, ${kills} kills, ${seconds} s`);
  const isRight = [
    report('webhook', receiver.events, units),
    report('file', parseLines(await readFile(file, 'utf8')), units),
  ];
  print(`the receiver refused ${receiver.counts.refused} requests, and cut off ${receiver.counts.cutOff}`);
  if (isRight.includes(false)) process.exitCode = 1;
  images.close();
  receiver.close();
}

/** Returns whether there is an event about each unit, with one id. */
function report(target: string, events: readonly UnitEvent[], units: number): boolean {
  const ids = new Set(events.map(({ id }) => id));
  const lost = units - new Set(events.map(({ data }) => data.unit)).size;
  print(
    `${target}: ${events.length} events, ${ids.size} ids; lost ${lost}, twice ${events.length - ids.size}`,
  );
  return lost === 0 && ids.size === units;
}

/** A line that was cut off by a kill is followed by the whole one. */
function parseLines(lines: string): UnitEvent[] {
  return lines.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as UnitEvent];
    } catch {
      return [];
    }
  });
}

async function sendUnits(server: ServerProcess, units: number, authority: string): Promise<void> {
  const lines = Array.from({ length: units }, (_, index) => {
    const broken = index % BROKEN_EVERY === 0 ? [`http://${authority}/gone`] : [];
    return `${JSON.stringify({ id: `unit-${index}`, images: [`http://${authority}/${index}`, ...broken] })}\n`;
  });
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`${server.url}/units`, { method: 'POST', headers, body: lines.join('') });
  if (response.status !== 202) throw new Error(`units were not accepted: ${await response.text()}`);
}

async function serveImage() {
  const image = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#4080c0' } })
    .jpeg()
    .toBuffer();
  return await listen((request, response) =>
    request.url === '/gone' ? response.writeHead(404).end() : response.end(image),
  );
}

/** A receiver of webhooks that fails now and then. */
async function startReceiver() {
  const events: UnitEvent[] = [];
  const counts = { refused: 0, cutOff: 0 };
  const server = await listen(async (request, response) => {
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    if (Math.random() < REFUSED_SHARE) {
      counts.refused++;
      response.writeHead(503, { 'Retry-After': '0' }).end();
      return;
    }
    events.push(JSON.parse(body) as UnitEvent);
    if (Math.random() < CUT_OFF_SHARE) {
      counts.cutOff++;
      request.socket.destroy();
    } else {
      response.end();
    }
  });
  return { ...server, events, counts };
}

async function listen(answer: Parameters<typeof createServer>[1] & object) {
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${authority}`, authority, close: () => server.close() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(POLL_MS);
}
