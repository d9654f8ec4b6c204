import { AggregatorRegistry } from 'prom-client';
import { sleep } from '../backoff.ts';

/** Metrics of one process, as its registry returns them. */
export type ProcessMetrics = object[];

/** Adds up the metrics of several processes. */
export interface MetricsCollector<Owner> {
  /** Returns the sums in the text format of Prometheus; `undefined` if an owner that lives has not answered in five seconds. */
  collect(owners: Iterable<Owner>): Promise<string | undefined>;
  /** Takes the answer to a question. */
  answer(id: number, metrics: ProcessMetrics): void;
  /** Waits no longer for the answers of an owner: it has died. */
  forget(owner: Owner): void;
}

const MAX_WAIT_MS = 5000;

/** @param ask - asks an owner for its metrics; `answer` is called with the same id */
export function createMetricsCollector<Owner>(
  ask: (owner: Owner, id: number) => void,
): MetricsCollector<Owner> {
  const questions = new Map<number, { owner: Owner; onAnswer: (metrics: ProcessMetrics) => void }>();
  let lastId = 0;

  function metricsOf(owner: Owner): Promise<ProcessMetrics> {
    return new Promise((onAnswer) => {
      questions.set(++lastId, { owner, onAnswer });
      ask(owner, lastId);
    });
  }

  function answer(id: number, metrics: ProcessMetrics): void {
    questions.get(id)?.onAnswer(metrics);
    questions.delete(id);
  }

  return {
    async collect(owners) {
      const all = Promise.all([...owners].map(metricsOf));
      const metrics = await Promise.race([all, sleep(MAX_WAIT_MS)]);
      return metrics ? await AggregatorRegistry.aggregate(metrics).metrics() : undefined;
    },
    answer,
    forget(owner) {
      for (const [id, question] of questions) if (question.owner === owner) answer(id, []);
    },
  };
}
