import { type SqsApi, toBatches } from './sqs-api.ts';

/** How often a message is hidden again before others could see it. */
const BEATS_A_TIMEOUT = 3;

/** Messages that were received and that nobody else is to get, identified by their receipt handles. */
export interface VisibilityHeartbeat {
  /** Keeps the message hidden from now on. */
  hold(receiptHandle: string): void;
  /** Removes it from the queue, and returns before it is gone. */
  delete(receiptHandle: string): void;
  /** Lets it be received again after so many seconds. */
  letGo(receiptHandle: string, seconds: number): Promise<void>;
  /** Stops, when all that is to be deleted is. */
  close(): Promise<void>;
}

export interface VisibilityHeartbeatOptions {
  calls: SqsApi;
  /** How long the queue hides a message that was received. */
  visibilitySeconds: number;
  /** Is told what went wrong: the messages come again, though they are being worked on or done. */
  report: (fault: unknown) => void;
}

export function createVisibilityHeartbeat({
  calls,
  visibilitySeconds,
  report,
}: VisibilityHeartbeatOptions): VisibilityHeartbeat {
  const held = new Set<string>();
  let done: string[] = [];
  let deleting: Promise<void> | undefined;
  let beating: Promise<void> | undefined;

  async function hideAgain(): Promise<void> {
    for (const batch of toBatches([...held])) {
      const refused = await calls.hide(batch, visibilitySeconds);
      // What was deleted meanwhile cannot be hidden.
      const lost = refused.filter(({ index }) => held.has(batch[index] ?? ''));
      if (lost.length > 0) throw new Error(`SQS no longer hides ${lost.length} messages (${lost[0]?.why})`);
    }
  }

  function beat(): void {
    beating ??= hideAgain()
      .catch(report)
      .finally(() => {
        beating = undefined;
      });
  }

  /** One call at a time: what is done meanwhile shares the next. */
  async function deleteDone(): Promise<void> {
    while (done.length > 0) {
      const batches = toBatches(done);
      done = [];
      for (const batch of batches) {
        try {
          const [refused] = await calls.delete(batch);
          if (refused) throw new Error(`SQS did not delete a message (${refused.why})`);
        } catch (fault) {
          report(fault);
        }
      }
    }
    // Here, in the turn of the last look, or what comes in the next would be left lying.
    deleting = undefined;
  }

  const heart = setInterval(beat, (visibilitySeconds * 1000) / BEATS_A_TIMEOUT);
  return {
    hold(receiptHandle) {
      held.add(receiptHandle);
    },
    delete(receiptHandle) {
      held.delete(receiptHandle);
      done.push(receiptHandle);
      deleting ??= deleteDone();
    },
    async letGo(receiptHandle, seconds) {
      held.delete(receiptHandle);
      // Or what is under way would hide it once more.
      await beating;
      try {
        const [refused] = await calls.hide([receiptHandle], seconds);
        if (refused) throw new Error(`SQS did not let go of a message (${refused.why})`);
      } catch (fault) {
        report(fault);
      }
    },
    async close() {
      clearInterval(heart);
      await Promise.all([beating, deleting]);
    },
  };
}
