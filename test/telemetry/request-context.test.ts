import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { currentContext, type RequestContext, runInContext } from '../../src/telemetry/request-context.ts';
import { createTraceparent } from '../../src/telemetry/traceparent.ts';

afterEach(() => vi.useRealTimers());

function createContext(requestId: string): RequestContext {
  return { requestId, trace: createTraceparent() };
}

/** Returns the ids that work sees at its start and after it has waited. */
async function idsIn(requestId: string, wait: () => Promise<unknown>) {
  return await runInContext(createContext(requestId), async () => {
    const first = currentContext()?.requestId;
    await wait();
    return [first, currentContext()?.requestId];
  });
}

it('Work has its own context, also after contexts were not needed for a long time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  for (const id of ['first', 'second']) {
    expect(await idsIn(id, nextTurn)).toEqual([id, id]);
    vi.advanceTimersByTime(3_600_000);
    expect(currentContext()).toBeUndefined();
  }
});

it('Work keeps its context however long it takes, while other work ends', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  let finish = () => {};
  const long = idsIn('long', () => new Promise<void>((resolve) => (finish = resolve)));
  await idsIn('short', nextTurn);
  vi.advanceTimersByTime(3_600_000);
  finish();
  expect(await long).toEqual(['long', 'long']);
});

it('What work has started keeps its context for a while after its end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  let finish = () => {};
  let left: Promise<string | undefined> = Promise.resolve(undefined);
  await runInContext(createContext('left'), async () => {
    left = new Promise<void>((resolve) => (finish = resolve)).then(() => currentContext()?.requestId);
  });
  vi.advanceTimersByTime(1000);
  finish();
  expect(await left).toBe('left');
});
