import { type SqsApi, toBatches } from './sqs-api.ts';

/** How often the visibility timeout is extended before it would be over. */
const BEATS_PER_TIMEOUT = 3;

/** Keeps messages that are in flight invisible to other consumers. Messages are identified by their receipt handles. */
export interface VisibilityHeartbeat {
  /** Extends the visibility timeout of the message from now on. */
  track(receiptHandle: string): void;
  /** Deletes the message from the queue, together with others: returns before that is done. */
  delete(receiptHandle: string): void;
  /** Stops extending, and lets the message be received again after this many seconds. */
  release(receiptHandle: string, seconds: number): Promise<void>;
  /** Stops the heartbeat, and resolves when the calls in flight and all deletions are done. */
  close(): Promise<void>;
}

export interface VisibilityHeartbeatOptions {
  api: Pick<SqsApi, 'changeVisibility' | 'delete'>;
  /** The visibility timeout of the queue. */
  visibilitySeconds: number;
  /** Called with each error of a call: messages will be received again although they are in flight or done. */
  onError: (error: unknown) => void;
}

/** Starts a heartbeat. */
export function createVisibilityHeartbeat({
  api,
  visibilitySeconds,
  onError,
}: VisibilityHeartbeatOptions): VisibilityHeartbeat {
  const tracked = new Set<string>();
  const deletion = createBatchedDeletion(api, onError);
  let extending: Promise<void> | undefined;

  async function extendAll(): Promise<void> {
    for (const batch of toBatches([...tracked])) {
      const failed = await api.changeVisibility(batch, visibilitySeconds);
      // A message that was deleted or released meanwhile cannot be extended.
      const lost = failed.filter(({ index }) => tracked.has(batch[index] ?? ''));
      if (lost.length > 0)
        throw new Error(
          `SQS did not extend the visibility timeout of ${lost.length} messages (${lost[0]?.reason})`,
        );
    }
  }

  function beat(): void {
    extending ??= extendAll()
      .catch(onError)
      .finally(() => {
        extending = undefined;
      });
  }

  const timer = setInterval(beat, (visibilitySeconds * 1000) / BEATS_PER_TIMEOUT);
  return {
    track(receiptHandle) {
      tracked.add(receiptHandle);
    },
    delete(receiptHandle) {
      tracked.delete(receiptHandle);
      deletion.add(receiptHandle);
    },
    async release(receiptHandle, seconds) {
      tracked.delete(receiptHandle);
      // Otherwise the heartbeat in flight would extend the visibility timeout again.
      await extending;
      try {
        const [failed] = await api.changeVisibility([receiptHandle], seconds);
        if (failed) throw new Error(`SQS did not release a message (${failed.reason})`);
      } catch (error) {
        onError(error);
      }
    },
    async close() {
      clearInterval(timer);
      await Promise.all([extending, deletion.drain()]);
    },
  };
}

/** Deletes messages, those that are done at about the same time together. */
function createBatchedDeletion(api: Pick<SqsApi, 'delete'>, onError: (error: unknown) => void) {
  let done: string[] = [];
  let deleting: Promise<void> | undefined;

  /** One call at a time: messages that are done meanwhile share the next one. */
  async function deleteDone(): Promise<void> {
    while (done.length > 0) {
      const batches = toBatches(done);
      done = [];
      for (const batch of batches) {
        try {
          const [failed] = await api.delete(batch);
          if (failed) throw new Error(`SQS did not delete a message (${failed.reason})`);
        } catch (error) {
          onError(error);
        }
      }
    }
    // In the same tick as the last check of `done`, so that no message is added between the two and never deleted.
    deleting = undefined;
  }

  return {
    /** Returns before the message is deleted. */
    add(receiptHandle: string): void {
      done.push(receiptHandle);
      deleting ??= deleteDone();
    },
    /** Resolves when all messages that were added are deleted. */
    async drain(): Promise<void> {
      await deleting;
    },
  };
}
