import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FailedEntry } from '../../src/queue/sqs-api.ts';
import { createVisibilityHeartbeat } from '../../src/queue/visibility-heartbeat.ts';
import { createGate } from '../support/queue/consumer.ts';

const VISIBILITY_SECONDS = 30;
const BEAT_MS = 10_000;

/** A heartbeat whose calls are recorded. Each call waits for `answer`, which returns the entries that fail. */
function setUp(answer: (handles: readonly string[]) => FailedEntry[] | Promise<FailedEntry[]> = () => []) {
  const extended: { handles: readonly string[]; seconds: number }[] = [];
  const deleted: (readonly string[])[] = [];
  const errors: string[] = [];
  const heartbeat = createVisibilityHeartbeat({
    api: {
      async changeVisibility(handles, seconds) {
        extended.push({ handles, seconds });
        return await answer(handles);
      },
      async delete(handles) {
        deleted.push(handles);
        return await answer(handles);
      },
    },
    visibilitySeconds: VISIBILITY_SECONDS,
    onError: (error) => errors.push((error as Error).message),
  });
  return { heartbeat, extended, deleted, errors };
}

const beats = (count: number) => vi.advanceTimersByTimeAsync(count * BEAT_MS);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the visibility heartbeat', () => {
  it('extends the visibility timeout of all tracked messages three times per timeout', async () => {
    const { heartbeat, extended } = setUp();
    heartbeat.track('a');
    heartbeat.track('b');
    await vi.advanceTimersByTimeAsync(VISIBILITY_SECONDS * 1000);
    const extension = { handles: ['a', 'b'], seconds: VISIBILITY_SECONDS };
    expect(extended).toEqual([extension, extension, extension]);
  });

  it('extends more messages than fit into one call in several', async () => {
    const { heartbeat, extended } = setUp();
    for (let number = 0; number < 25; number++) heartbeat.track(`message-${number}`);
    await beats(1);
    expect(extended.map(({ handles }) => handles.length)).toEqual([10, 10, 5]);
  });

  it('makes no second extension while one is in flight', async () => {
    const gate = createGate();
    const { heartbeat, extended } = setUp(async () => {
      await gate.opened;
      return [];
    });
    heartbeat.track('a');
    await beats(3);
    expect(extended).toHaveLength(1);
    gate.open();
    await beats(1);
    expect(extended).toHaveLength(2);
  });

  it('extends neither deleted nor released messages', async () => {
    const { heartbeat, extended, deleted } = setUp();
    for (const handle of ['a', 'b', 'c']) heartbeat.track(handle);
    heartbeat.delete('a');
    await heartbeat.release('b', 7);
    await beats(1);
    expect(deleted).toEqual([['a']]);
    expect(extended).toEqual([
      { handles: ['b'], seconds: 7 },
      { handles: ['c'], seconds: VISIBILITY_SECONDS },
    ]);
  });

  it('releases a message only after the extension in flight, which would make it invisible again', async () => {
    const gate = createGate();
    const { heartbeat, extended } = setUp(async () => {
      await gate.opened;
      return [];
    });
    heartbeat.track('a');
    await beats(1);
    const released = heartbeat.release('a', 0);
    await beats(1);
    expect(extended.map(({ seconds }) => seconds)).toEqual([VISIBILITY_SECONDS]);
    gate.open();
    await released;
    expect(extended.map(({ seconds }) => seconds)).toEqual([VISIBILITY_SECONDS, 0]);
  });

  it('deletes messages that are done during a deletion together', async () => {
    const { heartbeat, deleted } = setUp();
    for (const handle of ['a', 'b', 'c']) heartbeat.delete(handle);
    await heartbeat.close();
    expect(deleted).toEqual([['a'], ['b', 'c']]);
  });

  it('reports tracked messages that can no longer be extended', async () => {
    const { heartbeat, errors } = setUp(() => [{ index: 0, reason: 'ReceiptHandleIsInvalid' }]);
    heartbeat.track('a');
    await beats(1);
    expect(errors).toEqual([expect.stringContaining('of 1 messages (ReceiptHandleIsInvalid)')]);
  });

  it('does not report that a message cannot be extended which was deleted meanwhile', async () => {
    const { heartbeat, errors } = setUp((handles) => {
      if (handles.length === 1) return [];
      heartbeat.delete('a');
      return [{ index: 0, reason: 'it is gone' }];
    });
    heartbeat.track('a');
    heartbeat.track('b');
    await beats(1);
    expect(errors).toEqual([]);
  });

  it('reports a message that could not be deleted, and one that could not be released', async () => {
    const { heartbeat, errors } = setUp(() => [{ index: 0, reason: 'no' }]);
    heartbeat.delete('a');
    await heartbeat.release('b', 0);
    expect(errors).toEqual(['SQS did not delete a message (no)', 'SQS did not release a message (no)']);
  });

  it('stops extending when it is closed', async () => {
    const { heartbeat, extended } = setUp();
    heartbeat.track('a');
    await heartbeat.close();
    await beats(3);
    expect(extended).toEqual([]);
  });
});
