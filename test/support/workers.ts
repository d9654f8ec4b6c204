import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { sleep } from '../../src/backoff.ts';
import type { UnitStatus } from '../../src/unit/status.ts';
import { TOKEN } from './http/operator.ts';
import { SERVER, startServer } from './server-process.ts';

/** As many as a small machine can start in a test. */
export const WORKERS = 2;
const RETRY_DELAY_MS = 50;
export const ADMIN = { Authorization: `Bearer ${TOKEN}` };

/** Starts a server with several workers, which may fetch from an origin. */
export async function startWorkers(authority: string, env: Record<string, string> = {}) {
  const started = await startServer({
    WORKERS: String(WORKERS),
    SOURCE_ALLOW_PRIVATE: authority,
    ADMIN_TOKEN: TOKEN,
    PREWARM_WIDTHS: '160',
    PREWARM_FORMATS: 'webp',
    ...env,
  });
  const { pid } = started.program.process;
  // A worker may be killed while it answers.
  const statusOf = async (unit: string) => {
    const { body } = await requestImage(started.url, `/units/${unit}`, ADMIN);
    return JSON.parse(body.toString()) as UnitStatus;
  };
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

/** Returns the encoder processes of a server, those of its workers included. */
export function encoderPidsOf(pid: number | undefined): number[] {
  const children = childrenOf(pid).filter(Boolean);
  const encoders = children.filter((child) => readProcess(`${child}/cmdline`).includes('process-main'));
  return [...encoders, ...children.filter(runsServer).flatMap(encoderPidsOf)];
}

/** Reads a file of Linux' `/proc`; returns nothing of a process that has ended. */
function readProcess(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Whether a process has not ended. */
export function isThere(pid: number): boolean {
  return readProcess(`${pid}/cmdline`) !== '';
}

export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Requests a target over a connection of its own, so that any worker may get it; again if the connection is lost. */
export async function requestImage(
  url: string,
  target: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Buffer }> {
  const agent = new Agent({ keepAlive: false });
  return await new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
    get(url + target, { agent, headers }, (response) => {
      const status = response.statusCode ?? 0;
      buffer(response).then((body) => resolve({ status, body }), reject);
    }).on('error', reject);
  }).catch(async () => {
    // As a client does. A refused connection costs nothing, and the server needs the processor to start.
    await sleep(RETRY_DELAY_MS);
    return await requestImage(url, target, headers);
  });
}

/** Requests a target as `requestImage` does. Returns the status. */
export async function request(url: string, target: string): Promise<number> {
  return (await requestImage(url, target)).status;
}
