import type { LockRequest } from '../lock-table.ts';
import type { ProcessMetrics } from './collect-metrics.ts';

// What the primary process of a cluster and its workers tell each other. Each message has a `kind`; other messages are those of libraries.

/** From a worker to the primary. */
export type WorkerMessage =
  /** It accepts requests at this address. */
  | { kind: 'listening'; url: string }
  | ({ kind: 'acquire' } & LockRequest)
  | { kind: 'release'; id: number }
  /** The answer to `ping`. */
  | { kind: 'pong' }
  /** It has put jobs on the queue. */
  | { kind: 'jobs' }
  /** It wants the metrics of all workers. */
  | { kind: 'collect'; id: number }
  /** Its own metrics. */
  | { kind: 'metrics'; id: number; metrics: ProcessMetrics };

/** From the primary to a worker. */
export type PrimaryMessage =
  | { kind: 'granted'; id: number; hasWaited: boolean }
  /** To be answered with `pong`. */
  | { kind: 'ping' }
  /** It is the one that works on the queue, from now on. */
  | { kind: 'consume' }
  /** Another worker has put jobs on the queue. */
  | { kind: 'jobs' }
  /** The primary wants its metrics. */
  | { kind: 'metrics'; id: number }
  /** The metrics of all workers; `undefined` if one of them did not answer. */
  | { kind: 'collected'; id: number; text: string | undefined };
