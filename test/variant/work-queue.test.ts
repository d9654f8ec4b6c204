import { describe, expect, it, vi } from 'vitest';
import type { EdgepressError } from '../../src/protocol/error.ts';
import type { AnswerWatcher } from '../../src/source/source.ts';
import { createWorkQueue, type Turn, type WorkQueueOptions } from '../../src/variant/work-queue.ts';
import { until } from '../support/http/service.ts';

function createQueue(options: Partial<WorkQueueOptions> = {}) {
  return createWorkQueue({
    encoders: 1,
    fetches: 8,
    fetchesPerHost: 2,
    sources: 8,
    capacity: 1000,
    ...options,
  });
}

/** Something that takes until the test ends it. */
function held() {
  const ends: (() => void)[] = [];
  return {
    /** How many have begun. */
    get begun() {
      return ends.length;
    },
    run: () => new Promise<void>((end) => void ends.push(end)),
    end: () => {
      for (const end of ends.splice(0)) end();
    },
  };
}

/** Work that fetches as long as the test lets it, and then encodes as long. */
function work(fetch: () => Promise<unknown>, encode: () => Promise<unknown> = async () => {}) {
  return async (turn: Turn) => {
    await turn.fetch(fetch);
    await encode();
    return 'done';
  };
}

function rejectAtAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

const quick = work(async () => {});
const isOverloaded = { code: 'overloaded', retryable: true, retryAfterSeconds: expect.any(Number) };

describe('the work queue', () => {
  it('finishes the work in flight and rejects queued and new work when it drains', async () => {
    const queue = createQueue({ fetchesPerHost: 1 });
    const fetches = held();
    const [first, sameHost] = ['a', 'a'].map((host) => queue.run(host, undefined, work(fetches.run)));
    await until(() => fetches.begun === 1);
    const drained = queue.drain();
    const refusal = { code: 'overloaded', message: expect.stringContaining('shutting down') };
    await expect(sameHost).rejects.toMatchObject(refusal);
    await expect(queue.run('c', undefined, quick)).rejects.toMatchObject(refusal);
    fetches.end();
    expect(await first).toBe('done');
    await drained;
  });

  it('rejects work beyond its capacity as overloaded until work in flight is done', async () => {
    const queue = createQueue({ capacity: 2 });
    const fetches = held();
    const accepted = [1, 2].map(() => queue.run('a', undefined, work(fetches.run)));
    await until(() => fetches.begun === 2);
    await expect(queue.run('b', undefined, quick)).rejects.toMatchObject(isOverloaded);
    fetches.end();
    expect(await Promise.all(accepted)).toEqual(['done', 'done']);
    expect(await queue.run('b', undefined, quick)).toBe('done');
  });

  it('makes room for a host when the work of another fills it, and not for that one', async () => {
    const queue = createQueue({ capacity: 10, fetchesPerHost: 2 });
    const fetches = held();
    const slow = Array.from({ length: 10 }, () => queue.run('slow', undefined, work(fetches.run)));
    const pushedOut = expect(slow[9]).rejects.toMatchObject(isOverloaded);
    await until(() => fetches.begun === 2);
    await expect(queue.run('slow', undefined, quick)).rejects.toMatchObject(isOverloaded);
    expect(await queue.run('other', undefined, quick)).toBe('done');
    await pushedOut;
    const rest = Promise.all(slow.slice(0, 9));
    await until(() => {
      fetches.end();
      return queueIsEmpty(queue);
    });
    expect(new Set(await rest)).toEqual(new Set(['done']));
  });

  it('keeps its capacity when work of many hosts comes at the same moment', async () => {
    const queue = createQueue({ capacity: 10 });
    const fetches = held();
    const run = (host: string) => queue.run(host, undefined, work(fetches.run)).catch(({ code }) => code);
    const slow = Array.from({ length: 10 }, () => run('slow'));
    await until(() => fetches.begun === 2);
    const others = Array.from({ length: 100 }, (_, index) => run(`host-${index}`));
    await until(() => {
      fetches.end();
      return queueIsEmpty(queue);
    });
    const results = await Promise.all([...slow, ...others]);
    expect(results.filter((result) => result === 'done')).toHaveLength(10);
  });

  it('fetches for other hosts while several hosts hang and more of their work waits', async () => {
    const queue = createQueue({ fetches: 32, fetchesPerHost: 8 });
    const fetches = held();
    const hanging = ['a', 'b', 'c', 'd'].flatMap((host) =>
      Array.from({ length: 20 }, () => queue.run(host, undefined, work(fetches.run))),
    );
    expect(await queue.run('e', undefined, quick)).toBe('done');
    await until(() => {
      fetches.end();
      return queueIsEmpty(queue);
    });
    expect(new Set(await Promise.all(hanging))).toEqual(new Set(['done']));
  });

  it('fetches for other hosts while many more hosts than it has places do not answer', async () => {
    const queue = createQueue({ fetches: 8, fetchesPerHost: 8 });
    const silent = held();
    const hanging = Array.from({ length: 20 }, (_, host) =>
      queue.run(`silent-${host}`, undefined, work(silent.run)),
    );
    expect(await queue.run('good', undefined, quick)).toBe('done');
    await until(() => {
      silent.end();
      return queueIsEmpty(queue);
    });
    expect(new Set(await Promise.all(hanging))).toEqual(new Set(['done']));
  });

  it('reads no more sources at a time than it has places, though they begin to answer late', async () => {
    const queue = createQueue({ fetches: 2 });
    const silent = held();
    let reading = 0;
    let most = 0;
    const fetch = async ({ onAnswer }: AnswerWatcher) => {
      await silent.run();
      await onAnswer();
      most = Math.max(most, ++reading);
      await new Promise(setImmediate);
      reading--;
    };
    const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((host) =>
      queue.run(host, undefined, async (turn) => turn.fetch(fetch)),
    );
    await until(() => silent.begun === 6);
    silent.end();
    await Promise.all(all);
    expect(most).toBe(2);
  });

  it('gives a place to others that comes when the fetch that waited for it has failed', async () => {
    const queue = createQueue({ fetches: 1 });
    const late = held();
    const failure = held();
    const failing = queue.run('late', undefined, async (turn) => {
      await turn.fetch(async ({ onAnswer }) => {
        // As a source does whose time is over: it does not wait for the place.
        const answering = late.run().then(onAnswer);
        await Promise.race([answering, failure.run().then(() => Promise.reject(new Error('too slow')))]);
      });
    });
    const reading = held();
    const other = queue.run('other', undefined, work(reading.run));
    await until(() => reading.begun === 1);
    late.end();
    await new Promise(setImmediate);
    failure.end();
    await expect(failing).rejects.toThrow('too slow');
    reading.end();
    expect(await other).toBe('done');
    expect(await queue.run('next', undefined, quick)).toBe('done');
  });

  it('takes no place for a source that answers when its fetch is over', async () => {
    const queue = createQueue({ fetches: 1 });
    let answer: () => Promise<void> = async () => {};
    const failing = queue.run('late', undefined, (turn) =>
      turn.fetch(async ({ onAnswer }) => {
        answer = onAnswer;
        throw new Error('too slow');
      }),
    );
    await expect(failing).rejects.toThrow('too slow');
    await expect(answer()).rejects.toThrow();
    expect(await queue.run('next', undefined, quick)).toBe('done');
  });

  it('holds no place to fetch while it encodes, and none to encode while it stores', async () => {
    const queue = createQueue({ fetches: 1, sources: 1 });
    const encodes = held();
    const puts = held();
    const encoding = queue.run(
      'a',
      undefined,
      work(async () => {}, encodes.run),
    );
    await until(() => encodes.begun === 1);
    const fetches = held();
    const next = queue.run('a', undefined, async (turn) => {
      await turn.fetch(fetches.run);
      turn.leave();
      await puts.run();
    });
    await until(() => fetches.begun === 1);
    fetches.end();
    encodes.end();
    await encoding;
    await until(() => puts.begun === 1);
    expect(await queue.run('a', undefined, quick)).toBe('done');
    puts.end();
    await next;
  });
});

describe('the wait in the work queue', () => {
  /** A queue whose clock the test moves, and whose encodes take a second each, as it has measured. */
  async function setUpMeasured() {
    const clock = { ms: 0 };
    const queue = createQueue({ nowMs: () => clock.ms });
    for (let count = 0; count < 200; count++)
      await queue.run(
        'a',
        undefined,
        work(
          async () => {},
          async () => {
            clock.ms += 1000;
          },
        ),
      );
    return { clock, queue };
  }

  it('is refused at once if it would be too long, and told when those who were refused before it had their turn', async () => {
    const { queue } = await setUpMeasured();
    const encodes = held();
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, () => {
        const running = queue.run(
          'a',
          undefined,
          work(async () => {}, encodes.run),
        );
        return Promise.race([running, new Promise((resolve) => setImmediate(resolve, 'accepted'))]).catch(
          (error: unknown) => error,
        );
      }),
    );
    const accepted = outcomes.filter((outcome) => outcome === 'accepted').length;
    // One that is encoded, and as many as six seconds have room for.
    expect(accepted).toBeGreaterThanOrEqual(6);
    expect(accepted).toBeLessThanOrEqual(8);
    const retryAfter = outcomes.slice(accepted).map((error) => (error as EdgepressError).retryAfterSeconds);
    expect(retryAfter[0]).toBe(7);
    // An encode takes a second.
    for (const [index, seconds = 0] of retryAfter.entries()) {
      expect(seconds).toBeGreaterThanOrEqual(5 + index);
      expect(seconds).toBeLessThanOrEqual(7 + index);
    }
    await until(() => {
      encodes.end();
      return queueIsEmpty(queue);
    });
  });

  it('does not count what waits for hosts that do not answer', async () => {
    const clock = { ms: 0 };
    const queue = createQueue({ nowMs: () => clock.ms });
    const silent = held();
    let refused = 0;
    const hanging = Array.from({ length: 60 }, (_, number) =>
      queue.run(`silent-${number % 20}`, undefined, work(silent.run)).catch(() => ++refused),
    );
    const encode = async () => {
      clock.ms += 1000;
    };
    const good = work(async () => {}, encode);
    for (let times = 0; times < 3; times++) {
      const run = () => queue.run('good', undefined, good).catch(() => 'refused');
      await until(async () => (await run()) === 'done');
    }
    // It was done before those had waited for so long that they were refused.
    expect(refused).toBe(0);
    await until(() => {
      silent.end();
      return queueIsEmpty(queue);
    });
    await Promise.all(hanging);
  });

  it('is refused when its time is over, before anything is fetched', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const queue = createQueue({ fetchesPerHost: 1 });
      const fetches = held();
      const first = queue.run('a', undefined, work(fetches.run));
      await until(() => fetches.begun === 1);
      const late = queue.run('a', undefined, work(fetches.run));
      const refused = expect(late).rejects.toMatchObject(isOverloaded);
      vi.advanceTimersByTime(6000);
      await refused;
      expect(fetches.begun).toBe(1);
      fetches.end();
      expect(await first).toBe('done');
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends with the time while the encoder has not begun, and no more once it has', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const queue = createQueue();
      const encodes = held();
      const run = (begin: boolean) =>
        queue.run('a', undefined, async (turn) => {
          await turn.fetch(async () => {});
          if (begin) turn.start();
          await Promise.race([encodes.run(), rejectAtAbort(turn.signal)]);
          return 'done';
        });
      const [begun, waiting] = [run(true), run(false)];
      await until(() => encodes.begun === 2);
      const refused = expect(waiting).rejects.toMatchObject(isOverloaded);
      vi.advanceTimersByTime(60_000);
      await refused;
      encodes.end();
      expect(await begun).toBe('done');
    } finally {
      vi.useRealTimers();
    }
  });

  it('is shorter while the queue is a standing one', async () => {
    const { queue, clock } = await setUpMeasured();
    const encodes = held();
    const run = () =>
      queue.run(
        'a',
        undefined,
        work(async () => {}, encodes.run),
      );
    const waiting = [run(), run(), run(), run()];
    clock.ms += 11_000;
    const refused = await run().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'overloaded' });
    await until(() => {
      encodes.end();
      return queueIsEmpty(queue);
    });
    await Promise.all(waiting);
    expect(await queue.run('a', undefined, quick)).toBe('done');
  });
});

describe('work that is aborted', () => {
  it('leaves the queue at once if it waits, and its place goes to others', async () => {
    const queue = createQueue({ fetchesPerHost: 1 });
    const fetches = held();
    const controller = new AbortController();
    const first = queue.run('a', undefined, work(fetches.run));
    await until(() => fetches.begun === 1);
    const aborted = queue.run('a', controller.signal, quick);
    const next = queue.run('a', undefined, quick);
    controller.abort(new Error('left'));
    await expect(aborted).rejects.toThrow('left');
    expect(await sampleOf(queue, 'abandoned_total', { step: 'wait' })).toBe(1);
    fetches.end();
    expect(await Promise.all([first, next])).toEqual(['done', 'done']);
  });

  it('holds no place after a fetch that was aborted', async () => {
    const queue = createQueue({ fetches: 1, sources: 1 });
    const controller = new AbortController();
    const aborted = queue.run(
      'a',
      controller.signal,
      work(() => rejectAtAbort(controller.signal)),
    );
    controller.abort(new Error('left'));
    await expect(aborted).rejects.toThrow('left');
    expect(await queue.run('a', undefined, quick)).toBe('done');
  });
});

type Queue = ReturnType<typeof createWorkQueue>;

async function sampleOf(queue: Queue, name: string, labels: Record<string, string> = {}): Promise<number> {
  const read = await queue.metricSources.find((metric) => metric.name === name)?.read();
  if (read === undefined || typeof read === 'number') return read ?? 0;
  const [label = ''] = Object.keys(labels);
  return [...read].find((sample) => sample.labels?.[label] === labels[label])?.value ?? 0;
}

async function queueIsEmpty(queue: Queue): Promise<boolean> {
  return (await sampleOf(queue, 'work_queue_waiting')) + (await sampleOf(queue, 'work_queue_running')) === 0;
}
