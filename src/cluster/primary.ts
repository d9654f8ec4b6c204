import cluster, { type Worker } from 'node:cluster';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { forwardToStandardError } from '../forward-to-standard-error.ts';
import { createLockTable } from '../lock-table.ts';
import { createMetricsCollector } from './collect-metrics.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { PrimaryMessage, WorkerMessage } from './messages.ts';
import { createRestartDelay } from './restart-delay.ts';

export interface PrimaryOptions {
  /** How many workers to run. */
  workers: number;
  /** Where they listen: not 0, which would be another port once all of them have died. */
  port: number;
  log: Logger;
  /** Called once all workers accept requests, with their address. */
  onListening: (url: string) => void;
  /** Writes the log lines of a worker. */
  forwardLog: (stdout: Readable) => void;
}

/** The workers of this process. */
export interface Primary {
  /** Lets all workers finish their work in flight, and resolves when they have ended. */
  close(): Promise<void>;
  /** Resolves with an exit status if no worker comes so far as to accept requests. */
  failed: Promise<number>;
}

type Handler<Kind extends WorkerMessage['kind']> = (
  worker: Worker,
  message: Extract<WorkerMessage, { kind: Kind }>,
) => void;

/** A worker that does not answer for a minute, whose main thread is stuck, is killed. */
const HEARTBEAT_INTERVAL_MS = 10_000;

/**
 * Runs workers of this program that listen at the same port. This process answers no requests: it starts a worker again that has died, holds
 * the locks that workers share, and names the one that works on the queue.
 */
export function startPrimary({ workers, port, log, onListening, forwardLog }: PrimaryOptions): Primary {
  const listening = new Set<Worker>();
  const startTimesMs = new WeakMap<Worker, number>();
  const restartDelay = createRestartDelay();
  const locks = createLockTable<Worker>((worker, id, hasWaited) =>
    tell(worker, { kind: 'granted', id, hasWaited }),
  );
  const heartbeat = createHeartbeat<Worker>(
    (worker) => tell(worker, { kind: 'ping' }),
    (worker) => {
      log.error({ worker: worker.id }, 'a worker does not answer: it is killed');
      worker.process.kill('SIGKILL');
    },
  );
  const metrics = createMetricsCollector<Worker>((worker, id) => tell(worker, { kind: 'metrics', id }));
  let consumer: Worker | undefined;
  let isClosing = false;
  /** Whether the first worker has accepted requests, and whether all have at the same time. */
  const seen = { first: false, all: false };
  let onFailed: (status: number) => void = () => {};
  const failed = new Promise<number>((resolve) => {
    onFailed = resolve;
  });

  const handlers: { [Kind in WorkerMessage['kind']]: Handler<Kind> } = {
    acquire: (worker, message) => locks.acquire(worker, message),
    release: (worker, { id }) => locks.release(worker, id),
    pong: (worker) => heartbeat.answered(worker),
    jobs(worker) {
      if (consumer && consumer !== worker) tell(consumer, { kind: 'jobs' });
    },
    async collect(worker, { id }) {
      tell(worker, { kind: 'collected', id, text: await metrics.collect(listening) });
    },
    metrics: (_worker, message) => metrics.answer(message.id, message.metrics),
    listening: (worker, { url }) => addListening(worker, url),
  };

  function startWorker(): void {
    const worker = cluster.fork({ PORT: String(port) });
    startTimesMs.set(worker, performance.now());
    const { stdout, stderr } = worker.process;
    // When no more files can be open, Node makes no pipes.
    if (stdout) forwardLog(stdout);
    if (stderr) forwardToStandardError(stderr);
  }

  function addListening(worker: Worker, url: string): void {
    listening.add(worker);
    heartbeat.add(worker);
    nameConsumer();
    if (!seen.first) {
      seen.first = true;
      for (let count = 1; count < workers; count++) startWorker();
    }
    if (seen.all) log.info({ worker: worker.id }, 'a worker accepts requests again');
    if (seen.all || listening.size < workers) return;
    seen.all = true;
    onListening(url);
  }

  function nameConsumer(): void {
    if (consumer || isClosing) return;
    [consumer] = listening;
    if (consumer) tell(consumer, { kind: 'consume' });
  }

  function onExit(worker: Worker, status: number | null, signal: string | null): void {
    locks.forget(worker);
    heartbeat.remove(worker);
    metrics.forget(worker);
    if (consumer === worker) consumer = undefined;
    const ms = performance.now() - (startTimesMs.get(worker) ?? 0);
    const delayMs = restartDelay.afterDeath({ ms, hasListened: listening.delete(worker) });
    if (isClosing) return;
    nameConsumer();
    // What ends the first one before it accepts requests is the configuration.
    const isMisconfigured = !seen.first && status !== null && status !== 0;
    if (isMisconfigured || (listening.size === 0 && restartDelay.isHopeless())) {
      log.fatal(
        { worker: worker.id, status, signal },
        'a worker has died before it accepted requests: the server ends',
      );
      onFailed(status || 1);
      return;
    }
    log.error({ worker: worker.id, status, signal, delayMs }, 'a worker has died: another is started');
    setTimeout(() => {
      if (!isClosing) startWorker();
    }, delayMs);
  }

  // Workers accept connections themselves. Those that this process has handed to a worker would hang if it died before it took them.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  // After the policy, which this freezes. `advanced` keeps NaN in metrics. Workers that shared the standard output would block each other.
  cluster.setupPrimary({ serialization: 'advanced', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  cluster.on('message', (worker, message: WorkerMessage) => {
    const handle = handlers[message.kind] as Handler<WorkerMessage['kind']> | undefined;
    handle?.(worker, message);
  });
  cluster.on('exit', onExit);
  setInterval(heartbeat.beat, HEARTBEAT_INTERVAL_MS).unref();
  // One alone, so that a wrong configuration is explained once. The others follow when it accepts requests.
  startWorker();
  return {
    failed,
    async close() {
      isClosing = true;
      const all = Object.values(cluster.workers ?? {})
        .filter((worker) => worker !== undefined)
        .filter((worker) => !worker.isDead());
      const ended = all.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
      for (const worker of all) worker.process.kill('SIGTERM');
      await Promise.all(ended);
    },
  };
}

function tell(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message);
}
