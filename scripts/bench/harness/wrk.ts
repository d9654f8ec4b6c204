import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CommandFailure } from '../../cli/command.ts';

const execute = promisify(execFile);

export interface WrkResult {
  requests: number;
  perSecond: number;
}

/**
 * Requests a URL over and over. wrk needs a fraction of the CPU that a client in Node would.
 *
 * @throws CommandFailure if wrk is not installed
 * @throws Error unless all requests are answered with 2xx
 */
export async function runWrk(url: string, connections: number, seconds: number): Promise<WrkResult> {
  const { stdout } = await execute('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, url]).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new CommandFailure('wrk is missing: apt-get install wrk') : error;
    },
  );
  if (/Non-2xx/.test(stdout)) throw new Error(`not all requests were answered with 200:\n${stdout}`);
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
  };
}
