import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import { AggregatorRegistry } from 'prom-client';
import { backoffDelay } from '../backoff.ts';
import { createLockTable } from '../lock-table.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { PrimaryMessage, WorkerMessage } from './messages.ts';

export interface PrimaryOptions {
  /** How many workers to run. */
  workers: number;
  log: Logger;
  /** Called once all workers accept requests, with their address. */
  onListening: (url: string) => void;
}

/** The workers of this process. */
export interface Primary {
  /** Lets all workers finish their work in flight, and resolves when they have ended. */
  close(): Promise<void>;
  /** Resolves with an exit status if workers die as soon as they are started. */
  failed: Promise<number>;
}

type Handler<Kind extends WorkerMessage['kind']> = (
  worker: Worker,
  message: Extract<WorkerMessage, { kind: Kind }>,
) => void;

const RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 10_000;
/** So many workers that die one after the other before they accept requests are no accident. */
const MAX_FAILED_STARTS = 5;
/** A worker that does not answer for a minute, whose main thread is stuck, is killed. */
const HEARTBEAT_INTERVAL_MS = 10_000;

/**
 * Runs workers of this program that listen at the same port. This process answers no requests: it starts a worker again that has died, holds
 * the locks that workers share, and names the one that works on the queue.
 */
export function startPrimary({ workers, log, onListening }: PrimaryOptions): Primary {
  const listening = new Set<Worker>();
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
  const metrics = new AggregatorRegistry();
  let consumer: Worker | undefined;
  let isClosing = false;
  let hasStarted = false;
  let failedStarts = 0;
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
    metrics: (worker, { id }) => sendMetrics(worker, id),
    listening: (worker, { url }) => addListening(worker, url),
  };

  function addListening(worker: Worker, url: string): void {
    listening.add(worker);
    heartbeat.add(worker);
    failedStarts = 0;
    nameConsumer();
    if (hasStarted) log.info({ worker: worker.id }, 'a worker accepts requests again');
    if (hasStarted || listening.size < workers) return;
    hasStarted = true;
    onListening(url);
  }

  function nameConsumer(): void {
    if (consumer || isClosing) return;
    [consumer] = listening;
    if (consumer) tell(consumer, { kind: 'consume' });
  }

  function sendMetrics(worker: Worker, id: number): void {
    metrics.clusterMetrics().then(
      (text) => tell(worker, { kind: 'metrics', id, text }),
      () => tell(worker, { kind: 'metrics', id, text: undefined }),
    );
  }

  function onExit(worker: Worker, status: number | null, signal: string | null): void {
    locks.forget(worker);
    heartbeat.remove(worker);
    if (consumer === worker) consumer = undefined;
    if (!listening.delete(worker)) failedStarts++;
    if (isClosing) return;
    nameConsumer();
    // Before all have started, what stops one is the configuration: it has said so.
    if (failedStarts >= MAX_FAILED_STARTS || (!hasStarted && status !== 0 && signal === null)) {
      log.fatal(
        { worker: worker.id, status, signal },
        'a worker has died before it accepted requests: the server ends',
      );
      onFailed(status || 1);
      return;
    }
    const delayMs = backoffDelay(RESTART_DELAY_MS, failedStarts + 1, MAX_RESTART_DELAY_MS);
    log.error({ worker: worker.id, status, signal, delayMs }, 'a worker has died: another is started');
    setTimeout(() => {
      if (!isClosing) cluster.fork();
    }, delayMs);
  }

  // Workers accept connections themselves. Those that this process has handed to a worker would hang if it died before it took them.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.on('message', (worker, message: WorkerMessage) => {
    const handle = handlers[message.kind] as Handler<WorkerMessage['kind']> | undefined;
    handle?.(worker, message);
  });
  cluster.on('exit', onExit);
  setInterval(heartbeat.beat, HEARTBEAT_INTERVAL_MS).unref();
  for (let count = 0; count < workers; count++) cluster.fork();
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
