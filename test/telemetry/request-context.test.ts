import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTraceparent, formatTraceparent, parseTraceparent } from '../../src/telemetry/traceparent.ts';

type Module = typeof import('../../src/telemetry/request-context.ts');

const HOUR_MS = 3_600_000;

// A copy for these tests: the timers and the work of other tests in this process are not of their clock.
// @ts-expect-error TypeScript knows no queries of modules.
const contexts = (await import('../../src/telemetry/request-context.ts?copy')) as Module;

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterAll(() => {
  vi.useRealTimers();
});

/** Runs work that leaves something behind. Returns the function that lets that go on, and returns the id that it sees. */
async function leaveBehind(requestId: string, end: () => Promise<void> = async () => {}) {
  let goOn = () => {};
  let seen: Promise<string | undefined> = Promise.resolve(undefined);
  const context = { requestId, trace: createTraceparent() };
  const work = contexts.runInContext(context, () => {
    seen = new Promise<void>((resolve) => (goOn = resolve)).then(() => contexts.currentContext()?.requestId);
    return end();
  });
  await work.catch(() => {});
  return () => {
    goOn();
    return seen;
  };
}

it('Work has its own context, also after contexts were not needed for a long time', async () => {
  for (const requestId of ['first', 'second']) {
    const work = contexts.runInContext({ requestId, trace: createTraceparent() }, async () => {
      const first = contexts.currentContext()?.requestId;
      await nextTurn();
      return [first, contexts.currentContext()?.requestId];
    });
    expect(await work).toEqual([requestId, requestId]);
    vi.advanceTimersByTime(HOUR_MS);
    expect(contexts.currentContext()).toBeUndefined();
  }
});

it('Work keeps its context however long it takes, while other work ends', async () => {
  let finish = () => {};
  const work = contexts.runInContext({ requestId: 'long', trace: createTraceparent() }, async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    return contexts.currentContext()?.requestId;
  });
  await leaveBehind('short');
  vi.advanceTimersByTime(HOUR_MS);
  finish();
  expect(await work).toBe('long');
});

it('Work keeps its context when it begins while contexts are about to be switched off', async () => {
  await leaveBehind('before');
  let finish = () => {};
  const work = contexts.runInContext({ requestId: 'long', trace: createTraceparent() }, async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    return contexts.currentContext()?.requestId;
  });
  vi.advanceTimersByTime(HOUR_MS);
  finish();
  expect(await work).toBe('long');
});

it('What work has started keeps its context for some seconds after the last work, not only after the first', async () => {
  await leaveBehind('first');
  vi.advanceTimersByTime(4000);
  const goOn = await leaveBehind('last');
  vi.advanceTimersByTime(4000);
  expect(await goOn()).toBe('last');
});

/** Since 24, contexts cost nothing where there is none, and are not switched off for work that was begun in one. */
const HAS_COSTLY_CONTEXTS = Number(process.versions.node.split('.')[0]) < 24;

it.runIf(HAS_COSTLY_CONTEXTS)(
  'Contexts are switched off each time when there was no work for a while, also after work that failed',
  async () => {
    const fail = async () => {
      throw new Error('broken');
    };
    for (const end of [undefined, fail, undefined]) {
      const goOn = await leaveBehind('left', end);
      vi.advanceTimersByTime(HOUR_MS);
      expect(await goOn()).toBeUndefined();
    }
  },
);

it('Traces that start here have ids of their own, which are valid', () => {
  const started = Array.from({ length: 250 }, createTraceparent);
  for (const trace of started) expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
  expect(new Set(started.map(({ traceId }) => traceId)).size).toBe(250);
  expect(new Set(started.map(({ parentId }) => parentId)).size).toBe(250);
});
