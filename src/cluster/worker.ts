import cluster from 'node:cluster';
import type { Registry } from 'prom-client';
import { createLockClient, type Locks } from '../locks.ts';
import type { PrimaryMessage, WorkerMessage } from './messages.ts';

/** What a worker of a cluster shares with the others, by way of the primary process. */
export interface Membership {
  locks: Locks;
  /** Calls `start` once this worker is the one that works on the queue. */
  onConsume(start: () => void): void;
  /** Calls `wake` when another worker has put jobs on the queue. */
  onJobs(wake: () => void): void;
  /** Tells the worker that works on the queue that there are jobs. */
  announceJobs(): void;
  /** Tells the primary process that this worker accepts requests at an address. */
  announceListening(url: string): void;
  /** Lets the primary process read the metrics of this worker. */
  exposeMetrics(registry: Registry): void;
  /**
   * Returns the metrics of all workers, in the text format of Prometheus.
   *
   * @throws Error if one of them does not answer
   */
  metricsText(): Promise<string>;
}

/** Joins the cluster that this process was forked for. */
export function joinCluster(): Membership {
  const { locks, granted } = createLockClient({
    acquire: (request) => tell({ kind: 'acquire', ...request }),
    release: (id) => tell({ kind: 'release', id }),
  });
  const metricsRequests = new Map<number, (text: string | undefined) => void>();
  const listeners: { consume?: () => void; jobs?: () => void } = {};
  let consumes = false;
  let lastId = 0;
  let ownMetrics: Registry | undefined;

  process.on('message', (message: PrimaryMessage) => {
    if (message.kind === 'granted') granted(message.id, message.hasWaited);
    else if (message.kind === 'ping') tell({ kind: 'pong' });
    else if (message.kind === 'jobs') listeners.jobs?.();
    else if (message.kind === 'consume') {
      consumes = true;
      listeners.consume?.();
    } else if (message.kind === 'metrics') {
      void sendMetrics(message.id);
    } else {
      metricsRequests.get(message.id)?.(message.text);
      metricsRequests.delete(message.id);
    }
  });

  async function sendMetrics(id: number): Promise<void> {
    tell({ kind: 'metrics', id, metrics: (await ownMetrics?.getMetricsAsJSON()) ?? [] });
  }

  return {
    locks,
    onConsume(start) {
      if (consumes) start();
      else listeners.consume = start;
    },
    onJobs(wake) {
      listeners.jobs = wake;
    },
    announceJobs: () => tell({ kind: 'jobs' }),
    announceListening: (url) => tell({ kind: 'listening', url }),
    exposeMetrics(registry) {
      ownMetrics = registry;
    },
    async metricsText() {
      const text = await new Promise<string | undefined>((resolve) => {
        metricsRequests.set(++lastId, resolve);
        tell({ kind: 'collect', id: lastId });
      });
      if (text === undefined) throw new Error('a worker did not answer with its metrics');
      return text;
    },
  };
}

/** Whether this process is a worker. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/** Once the primary process has died, this one is about to exit: nobody waits for what it says. */
function tell(message: WorkerMessage): void {
  if (process.connected) process.send?.(message);
}
