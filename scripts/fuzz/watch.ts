import { setTimeout as sleep } from 'node:timers/promises';
import { photograph } from '../../test/support/pictures.ts';
import { Finding } from './finding.ts';
import { type KeptConnection, keptConnection } from './raw-connection.ts';
import type { Target } from './target.ts';

/** What clients that send nothing odd saw meanwhile. */
export interface WatchReport {
  hits: number;
  slowestHitMs: number;
  slowestHealthMs: number;
  memoryBeforeBytes: number;
  peakMemoryBytes: number;
}

export interface Watch {
  report: WatchReport;
  /** Ends it. */
  stop(): Promise<void>;
}

const INTERVAL_MS = 100;
const MEMORY_INTERVAL_MS = 1000;
/** How long a hit and `/healthz` may take: much longer than they do, because the machine may have other work. */
const MAX_ANSWER_MS = 5000;

/**
 * Watches the server as its good clients see it: hits of one stored variant and `/healthz`, on connections that stay open.
 *
 * @param onFinding - is told of each fault, also of bugs that the log tells of, and of the server's end
 */
export async function startWatch(target: Target, onFinding: (finding: Finding) => void): Promise<Watch> {
  const clients = await connectClients(target);
  const memory = target.server.memoryBytes();
  const report = {
    hits: 0,
    slowestHitMs: 0,
    slowestHealthMs: 0,
    memoryBeforeBytes: memory,
    peakMemoryBytes: memory,
  };
  let isStopped = false;
  let memoryReadMs = 0;
  const watching = (async () => {
    for (let isLast = false; !isLast; ) {
      // Once more in the end: the last input may have ended the server.
      isLast = isStopped;
      await look().catch((error: unknown) => {
        if (!(error instanceof Finding)) throw error;
        onFinding(error);
      });
      await sleep(INTERVAL_MS);
    }
    clients.close();
  })();

  async function look(): Promise<void> {
    for (const line of target.server.takeBugs())
      onFinding(new Finding(`the log says: ${line.slice(0, 600)}`));
    if (target.server.exit() !== undefined) return await restart();
    report.slowestHitMs = Math.max(report.slowestHitMs, await clients.hit());
    report.slowestHealthMs = Math.max(report.slowestHealthMs, await clients.health());
    report.hits++;
    if (performance.now() - memoryReadMs < MEMORY_INTERVAL_MS) return;
    memoryReadMs = performance.now();
    report.peakMemoryBytes = Math.max(report.peakMemoryBytes, target.server.memoryBytes());
  }

  async function restart(): Promise<void> {
    onFinding(new Finding(String(target.server.exit())));
    await target.restart();
    clients.connect();
  }

  return {
    report,
    async stop() {
      isStopped = true;
      await watching;
    },
  };
}

async function connectClients(target: Target) {
  const { url } = target.origin.serve(await photograph());
  const path = target.sign({ unit: 'steady', src: url, width: 160, format: 'webp' });
  const request = (path: string) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  let [forHits, forHealth] = connections();
  // The first one makes the variant.
  await expectOk(forHits, request(path));
  const { body } = await expectOk(forHits, request(path));

  function connections(): [KeptConnection, KeptConnection] {
    return [keptConnection(target.server.port), keptConnection(target.server.port)];
  }

  function close(): void {
    forHits.close();
    forHealth.close();
  }

  return {
    close,
    connect() {
      close();
      [forHits, forHealth] = connections();
    },
    async hit() {
      const { ms, body: now } = await expectOk(forHits, request(path));
      if (!now.equals(body)) throw new Finding('another client was sent other bytes');
      return ms;
    },
    health: async () => (await expectOk(forHealth, request('/healthz'))).ms,
  };
}

async function expectOk(connection: KeptConnection, bytes: Buffer) {
  const start = performance.now();
  const { status, body } = await connection.request(bytes);
  const ms = performance.now() - start;
  if (status !== 200) throw new Finding(`another client was answered with ${status}: ${body.toString()}`);
  if (ms > MAX_ANSWER_MS) throw new Finding(`another client waited ${Math.round(ms)} ms`);
  return { ms, body };
}
