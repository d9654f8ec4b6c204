import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CommandFailure } from '../../cli/command.ts';

const execute = promisify(execFile);

export interface WrkResult {
  requests: number;
  perSecond: number;
  /** The time that 99% of the requests take at most, in milliseconds. */
  p99Ms: number;
}

const UNIT_MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/**
 * Requests a URL over and over. wrk needs a fraction of the CPU that a client in Node would.
 *
 * @throws CommandFailure if wrk is not installed
 * @throws Error unless all requests are answered with 2xx
 */
export async function runWrk(url: string, connections: number, seconds: number): Promise<WrkResult> {
  const { stdout } = await execute('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    url,
  ]).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new CommandFailure('wrk is missing: apt-get install wrk') : error;
  });
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s|m)\b/.exec(stdout) ?? [];
  if (/Non-2xx/.test(stdout)) throw new Error(`not all requests were answered with 200:\n${stdout}`);
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p99Ms: Number(p99) * UNIT_MS[unit as keyof typeof UNIT_MS],
  };
}
