import { readFileSync } from 'node:fs';
import { Agent, get, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { UnitStatus } from '../../src/unit/status.ts';
import { samplesOf, TOKEN, unitLine } from '../support/http/operator.ts';
import { startHeldOrigin, startOrigin, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { runProgram } from '../support/program.ts';
import { SERVER, startServer } from '../support/server-process.ts';

const WORKERS = 2;
const ADMIN = { Authorization: `Bearer ${TOKEN}` };

async function startWorkers(authority: string, env: Record<string, string> = {}) {
  const started = await startServer({
    WORKERS: String(WORKERS),
    SOURCE_ALLOW_PRIVATE: authority,
    ADMIN_TOKEN: TOKEN,
    PREWARM_WIDTHS: '160',
    PREWARM_FORMATS: 'webp',
    ...env,
  });
  const { pid } = started.program.process;
  const statusOf = async (unit: string) =>
    (await (await fetch(`${started.url}/units/${unit}`, { headers: ADMIN })).json()) as UnitStatus;
  return {
    ...started,
    statusOf,
    /** The process ids of the workers, in the order in which they were started. */
    workerPids: () => childrenOf(pid).filter(runsServer),
    submit: (lines: string) => fetch(`${started.url}/units`, { method: 'POST', headers: ADMIN, body: lines }),
  };
}

function childrenOf(pid: number | undefined): number[] {
  return readProcess(`${pid}/task/${pid}/children`).trim().split(' ').map(Number);
}

/** The loader of TypeScript has a process of its own. */
function runsServer(pid: number): boolean {
  return readProcess(`${pid}/cmdline`).includes(SERVER);
}

/** Reads a file of Linux' `/proc`; returns nothing of a process that has ended. */
function readProcess(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Requests a target over a connection of its own, so that any worker may get it; again if the connection is lost. */
async function requestImage(url: string, target: string): Promise<{ status: number; body: Buffer }> {
  const agent = new Agent({ keepAlive: false });
  return await new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
    get(url + target, { agent }, (response) => {
      const status = response.statusCode ?? 0;
      buffer(response).then((body) => resolve({ status, body }), reject);
    }).on('error', reject);
  }).catch(() => requestImage(url, target));
}

async function request(url: string, target: string): Promise<number> {
  return (await requestImage(url, target)).status;
}

describe('A server with several workers', () => {
  it('fetches and makes a variant once, whichever workers are asked for it', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { url } = await startWorkers(origin.authority);
    const target = await targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const requests = Array.from({ length: 12 }, () => request(url, target));
    await until(() => held.length > 0);
    answerAll();
    expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
    expect(origin.requests).toHaveLength(1);
  });

  it('fetches no more from a host at a time than one process would', async () => {
    const photo = await photograph();
    const held: ServerResponse[] = [];
    let most = 0;
    const origin = await startOrigin((_request, response) => {
      most = Math.max(most, held.push(response));
    });
    const { url } = await startWorkers(origin.authority, { CONCURRENCY: '2' });
    const requests = Array.from({ length: 40 }, async (_, index) =>
      request(url, await targetFor(`${origin.url}/${index}.jpg`, { width: 160 })),
    );
    for (let answered = 0; answered < requests.length; answered++) {
      await until(() => held.length >= Math.min(8, requests.length - answered));
      held.shift()?.end(photo);
    }
    expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
    expect(most).toBe(8);
  });

  it('loses nothing when its workers are killed under load, and starts others', {
    timeout: 60_000,
  }, async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const { url, program, workerPids, submit, statusOf } = await startWorkers(origin.authority);
    const before = workerPids();
    const images = Array.from({ length: 30 }, (_, index) => `${origin.url}/unit-${index}.jpg`);
    expect((await submit(unitLine('unit-1', ...images))).status).toBe(202);
    const targets = await Promise.all(
      Array.from({ length: 40 }, (_, index) => targetFor(`${origin.url}/${index}.jpg`, { width: 160 })),
    );
    const requests = targets.map((target) => request(url, target));
    await until(() => origin.requests.length > 10);
    const [first = 0, ...others] = before;
    for (const pid of others) process.kill(pid, 'SIGKILL');
    const restarted = () => program.output.stdout.match(/a worker accepts requests again/g) ?? [];
    await until(() => restarted().length === others.length);
    // One of those that were there at first has worked on the queue.
    process.kill(first, 'SIGKILL');
    expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
    await until(async () => (await statusOf('unit-1')).totals.pending === 0);
    expect((await statusOf('unit-1')).totals).toMatchObject({ ready: 30, broken: 0 });
    for (const target of targets) {
      const { body } = await requestImage(url, target);
      // Throws if the file is cut off.
      await sharp(body, { failOn: 'warning' }).stats();
    }
    await until(() => restarted().length === before.length);
    expect(workerPids().filter((pid) => before.includes(pid))).toEqual([]);
  });

  it('ends when workers die again and again before they accept requests', { timeout: 60_000 }, async () => {
    const { origin } = await startHeldOrigin();
    const { program, workerPids } = await startWorkers(origin.authority);
    await until(() => {
      for (const pid of workerPids()) killIfThere(pid);
      return program.output.stdout.includes('the server ends');
    });
    expect(await program.ended).toBe(1);
  });

  it('finishes requests in flight on a signal, and exits with 0', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { url, program } = await startWorkers(origin.authority);
    const requests = Array.from({ length: 6 }, async (_, index) =>
      request(url, await targetFor(`${origin.url}/${index}.jpg`, { width: 160 })),
    );
    await until(() => held.length === 6);
    program.process.kill('SIGTERM');
    await program.printed(/finishing the work in flight/);
    answerAll();
    expect(await Promise.all(requests)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await program.ended).toBe(0);
  });

  it('sums the metrics of its workers', async () => {
    const { origin } = await startHeldOrigin();
    const { url } = await startWorkers(origin.authority);
    for (let count = 0; count < 2 * WORKERS; count++) await request(url, '/healthz');
    const text = await (await fetch(`${url}/metrics`, { headers: ADMIN })).text();
    const samples = samplesOf(text);
    expect(samples.get('edgepress_requests_total{outcome="ok",code=""}')).toBe(2 * WORKERS);
    expect(samples.get('edgepress_queue_jobs')).toBe(0);
  });

  it('does not start with a number of workers that is none', async () => {
    const program = runProgram(SERVER, [], { PORT: '0', WORKERS: 'many' });
    expect(await program.ended).toBe(1);
    expect(program.output.stderr).toContain('WORKERS: must be auto or a whole number from 1 to 64');
  });

  it('does not start at a port that is taken', async () => {
    const { origin } = await startHeldOrigin();
    const { url } = await startWorkers(origin.authority);
    const second = runProgram(SERVER, [], {
      PORT: new URL(url).port,
      WORKERS: '2',
      SOURCE_ALLOW: 'https://nowhere.test/*',
    });
    expect(await second.ended).toBe(1);
    expect(second.output.stderr).toContain('EADDRINUSE');
  });
});
