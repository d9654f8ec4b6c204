import { compare, type Round } from '../harness/comparison.ts';
import type { ServerProcess } from '../harness/processes.ts';
import { runWrk } from '../harness/wrk.ts';

const WARM_UP_SECONDS = 1;

export interface HitsOptions {
  connections: readonly number[];
  kilobytes: readonly number[];
  seconds: number;
  rounds: number;
  /** Whether hits in an S3 store are measured too. */
  s3: boolean;
}

/** A server that answers its URL with a variant. */
export interface HitServer {
  name: string;
  server: ServerProcess;
}

/**
 * Requests the URL of each server over and over, and prints a line for each number of connections and each server but the first.
 *
 * @param measured - what is requested
 */
export async function compareHits(
  measured: string,
  servers: readonly HitServer[],
  { connections, seconds, rounds }: HitsOptions,
): Promise<void> {
  for (const { server } of servers) await runWrk(server.url, 16, WARM_UP_SECONDS);
  for (const count of connections) {
    await compare(
      { measured: `${measured}, ${count} ${count === 1 ? 'connection' : 'connections'}`, rounds },
      servers.map(({ name, server }) => ({ name, measure: () => requestOften(server, count, seconds) })),
    );
  }
}

/** Returns a size as the lines of hits have it. */
export function kilobytesOf({ byteLength }: Uint8Array): string {
  return `${(byteLength / 1000).toFixed(0)} kB`;
}

async function requestOften(server: ServerProcess, connections: number, seconds: number): Promise<Round> {
  const before = server.cpuTimes();
  const { requests, perSecond, p99Ms } = await runWrk(server.url, connections, seconds);
  const after = server.cpuTimes();
  return {
    ...{ requests, perSecond, p99Ms },
    cpuMs: after.all - before.all,
    mainThreadMs: after.mainThreads - before.mainThreads,
  };
}
