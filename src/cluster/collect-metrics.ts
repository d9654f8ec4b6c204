import { AggregatorRegistry, type Registry } from 'prom-client';
import { sleep } from '../backoff.ts';

/** Metrics of one process, as its registry returns them. */
export type ProcessMetrics = object[];

/** Adds up the metrics of several processes. */
export interface MetricsCollector<Owner> {
  /** Returns the sums in the text format of Prometheus; `undefined` if an owner that lives has not answered in five seconds. */
  collect(owners: Iterable<Owner>): Promise<string | undefined>;
  /** Takes the answer to a question. */
  answer(id: number, metrics: ProcessMetrics): void;
  /** Waits no longer for the answers of an owner: it has died. What it had counted by its last answer stays in the sums. */
  forget(owner: Owner): void;
}

const MAX_WAIT_MS = 5000;

/** @param ask - asks an owner for its metrics; `answer` is called with the same id */
export function createMetricsCollector<Owner>(
  ask: (owner: Owner, id: number) => void,
): MetricsCollector<Owner> {
  const questions = new Map<number, { owner: Owner; onAnswer: () => void }>();
  const lastAnswers = new Map<Owner, ProcessMetrics>();
  /** The sums of those that have died: without them, a sum would fall, which Prometheus takes for a restart of all. */
  let ended: ProcessMetrics = [];
  let lastId = 0;

  function askFor(owner: Owner): Promise<void> {
    return new Promise((onAnswer) => {
      questions.set(++lastId, { owner, onAnswer });
      ask(owner, lastId);
    });
  }

  return {
    async collect(owners) {
      const asked = [...owners];
      const answered = Promise.all(asked.map(askFor)).then(() => true);
      if (!(await Promise.race([answered, sleep(MAX_WAIT_MS)]))) return undefined;
      // Not the answers themselves: one that has answered and died since is among those that have ended.
      return await sumOf([...asked.map((owner) => lastAnswers.get(owner) ?? []), ended]).metrics();
    },
    answer(id, metrics) {
      const question = questions.get(id);
      if (!question) return;
      questions.delete(id);
      lastAnswers.set(question.owner, metrics);
      question.onAnswer();
    },
    forget(owner) {
      ended = sumOf([ended, (lastAnswers.get(owner) ?? []).filter(isCount)]).getMetricsAsArray();
      lastAnswers.delete(owner);
      for (const [id, question] of questions) {
        if (question.owner !== owner) continue;
        questions.delete(id);
        question.onAnswer();
      }
    },
  };
}

function sumOf(metrics: ProcessMetrics[]): Registry {
  return AggregatorRegistry.aggregate(metrics);
}

/** Whether a metric only ever grows, and is summed. */
function isCount(metric: { type?: string; aggregator?: string }): boolean {
  return (metric.type === 'counter' || metric.type === 'histogram') && metric.aggregator === 'sum';
}
