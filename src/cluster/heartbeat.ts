/** Finds workers that have stopped to answer, and hold locks that others wait for. */
export interface Heartbeat<Worker> {
  add(worker: Worker): void;
  remove(worker: Worker): void;
  /** Notes that a worker has answered. */
  answered(worker: Worker): void;
  /** Asks all workers for an answer. To be called regularly. */
  beat(): void;
}

/** A worker may leave so many questions in a row unanswered. They are counted, not timed: a machine that was suspended is no fault. */
const MAX_UNANSWERED = 6;

/**
 * @param ask - asks a worker for an answer
 * @param onSilent - called, at each beat, with a worker that has left too many questions unanswered
 */
export function createHeartbeat<Worker>(
  ask: (worker: Worker) => void,
  onSilent: (worker: Worker) => void,
): Heartbeat<Worker> {
  const unanswered = new Map<Worker, number>();
  return {
    add: (worker) => void unanswered.set(worker, 0),
    remove: (worker) => void unanswered.delete(worker),
    answered(worker) {
      if (unanswered.has(worker)) unanswered.set(worker, 0);
    },
    beat() {
      for (const [worker, count] of unanswered) {
        if (count >= MAX_UNANSWERED) {
          onSilent(worker);
        } else {
          unanswered.set(worker, count + 1);
          ask(worker);
        }
      }
    },
  };
}
