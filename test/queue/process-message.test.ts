import PQueue from 'p-queue';
import { describe, expect, it } from 'vitest';
import { EdgepressError } from '../../src/protocol/error.ts';
import { encodeMessage } from '../../src/queue/message.ts';
import { processMessage } from '../../src/queue/process-message.ts';
import type { IngestProgress, Job, ObjectToIngest } from '../../src/queue/queue.ts';
import { Crowded } from '../../src/source/host-slots.ts';
import { createGate, makeJobs, unitsOf } from '../support/queue/consumer.ts';

interface SetUp {
  /** The units whose jobs fail. */
  failing?: readonly string[];
  /** Thrown by every send. */
  sendError?: Error;
  concurrency?: number;
}

/** Processes messages with a sender that records what is sent. Jobs that fail are delivered again after 5 s. */
function setUp({ failing = [], sendError, concurrency = 10 }: SetUp = {}) {
  const handled: string[] = [];
  const sent: { jobs: readonly Job[]; alone: boolean; delaySeconds: number }[] = [];
  const sentObjects: ObjectToIngest[] = [];
  const errors: { message: string; unit: string | undefined }[] = [];
  const givenUp: { unit: string; error: unknown }[] = [];
  const controller = new AbortController();
  const record = async (jobs: readonly Job[], alone: boolean, delaySeconds: number) => {
    if (sendError) throw sendError;
    if (jobs.length > 0) sent.push({ jobs, alone, delaySeconds });
  };
  const options = {
    handle: async ({ unit }: Job) => {
      handled.push(unit);
      if (failing.includes(unit)) throw new Error(`no ${unit}`);
    },
    pool: new PQueue({ concurrency }),
    sender: {
      send: (jobs: readonly Job[]) => record(jobs, false, 0),
      sendAlone: (jobs: readonly Job[], delaySeconds: number) => record(jobs, true, delaySeconds),
      sendObjects: async (objects: readonly ObjectToIngest[]) => void sentObjects.push(...objects),
    },
    signal: controller.signal,
    onError: (error: unknown, job?: Job) =>
      void errors.push({ message: (error as Error).message, unit: job?.unit }),
    onGiveUp: async ({ unit }: Job, error: unknown) => void givenUp.push({ unit, error }),
    maxReceives: async () => 3,
    retryDelaySeconds: 5,
  };
  return {
    handled,
    sent,
    sentObjects,
    errors,
    givenUp,
    options,
    stop: () => controller.abort(),
    process: (jobs: readonly Job[], receipts = 1) =>
      processMessage({ body: encodeMessage(jobs), receipts }, options),
  };
}

describe('processMessage', () => {
  const jobs = makeJobs(3);

  it('sends a job later, as one that has not failed, while other processes use all slots of its host', async () => {
    const { process, sent, errors, options } = setUp();
    const crowded = new EdgepressError('overloaded', 'crowded', { cause: new Crowded('crowded') });
    options.handle = async ({ unit }) => {
      if (unit === jobs[1]?.unit) throw crowded;
    };
    expect(await process(jobs)).toBeUndefined();
    expect(await process(jobs.slice(1, 2), 5)).toBeUndefined();
    const later = { jobs: jobs.slice(1, 2), alone: true, delaySeconds: 120 };
    expect(sent).toEqual([later, later]);
    expect(errors).toEqual([]);
  });

  it('deletes a message whose jobs are all done', async () => {
    const { process, handled, sent, errors } = setUp();
    expect(await process(jobs)).toBeUndefined();
    expect({ handled, sent, errors }).toEqual({ handled: unitsOf(jobs), sent: [], errors: [] });
  });

  it('sends the jobs that fail alone, and deletes the message', async () => {
    const { process, handled, sent, errors } = setUp({ failing: ['unit-1', 'unit-3'] });
    expect(await process(jobs)).toBeUndefined();
    expect(handled).toEqual(unitsOf(jobs));
    expect(sent).toEqual([{ jobs: [jobs[0], jobs[2]], alone: true, delaySeconds: 5 }]);
    expect(errors).toEqual([1, 3].map((n) => ({ message: `no unit-${n}`, unit: `unit-${n}` })));
  });

  it.each([
    { receipts: 1, seconds: 5 },
    { receipts: 3, seconds: 20 },
    { receipts: 9, seconds: 900 },
  ])(
    'leaves a single job that failed $receipts times on the queue for $seconds s',
    async ({ receipts, seconds }) => {
      const { process, sent, errors } = setUp({ failing: ['unit-1'] });
      expect(await process(makeJobs(1), receipts)).toBe(seconds);
      expect(sent).toEqual([]);
      expect(errors).toEqual([{ message: 'no unit-1', unit: 'unit-1' }]);
    },
  );

  it('sends the jobs that fail in their order, whichever fails first', async () => {
    const { process, options, sent } = setUp();
    const first = createGate();
    options.handle = async ({ unit }) => {
      if (unit === 'unit-1') await first.opened;
      else first.open();
      throw new Error(`no ${unit}`);
    };
    await process(jobs);
    expect(sent).toEqual([{ jobs, alone: true, delaySeconds: 5 }]);
  });

  it('leaves the message on the queue when the jobs that failed cannot be sent', async () => {
    const { process, errors } = setUp({ failing: unitsOf(jobs), sendError: new Error('no send') });
    expect(await process(jobs)).toBe(5);
    expect(errors.at(-1)).toEqual({ message: 'no send', unit: undefined });
  });

  it('does the jobs of a message that is received for the second time', async () => {
    const { process, handled } = setUp();
    await process(jobs, 2);
    expect(handled).toEqual(unitsOf(jobs));
  });

  it('sends each job of a message alone that was received twice before and never finished', async () => {
    const { process, handled, sent, errors } = setUp();
    expect(await process(jobs, 3)).toBeUndefined();
    expect(handled).toEqual([]);
    expect(sent).toEqual([{ jobs, alone: true, delaySeconds: 5 }]);
    expect(errors).toEqual([{ message: expect.stringContaining('3 times'), unit: undefined }]);
  });

  it('does a single job however often its message was received before', async () => {
    const { process, handled, sent } = setUp();
    expect(await process(makeJobs(1), 3)).toBeUndefined();
    expect({ handled, sent }).toEqual({ handled: ['unit-1'], sent: [] });
  });

  it('leaves a malformed message on the queue and reports it', async () => {
    const { options, errors } = setUp();
    expect(await processMessage({ body: 'hello?', receipts: 1 }, options)).toBe(5);
    expect(errors).toEqual([{ message: 'not a message with units', unit: undefined }]);
  });

  it('makes a message available immediately when the signal aborts before any of its jobs starts', async () => {
    const { process, handled, sent, errors, stop } = setUp();
    stop();
    expect(await process(jobs)).toBe(0);
    expect({ handled, sent, errors }).toEqual({ handled: [], sent: [], errors: [] });
  });

  it('sends the jobs together that have not started when the signal aborts, and deletes the message', async () => {
    const { process, options, sent, errors, stop } = setUp({ concurrency: 1 });
    const started = createGate();
    const gate = createGate();
    options.handle = async () => {
      started.open();
      await gate.opened;
    };
    const processed = process(jobs);
    await started.opened;
    stop();
    gate.open();
    expect(await processed).toBeUndefined();
    expect(sent).toEqual([{ jobs: jobs.slice(1), alone: false, delaySeconds: 0 }]);
    expect(errors).toEqual([]);
  });

  it('makes a single job that the abort interrupts available immediately', async () => {
    const { process, options, sent, errors, stop } = setUp();
    options.handle = async () => {
      stop();
      throw new Error('interrupted');
    };
    expect(await process(makeJobs(1))).toBe(0);
    expect({ sent, errors }).toEqual({ sent: [], errors: [] });
  });

  it('gives up a job that fails at the last receipt of its message, and leaves the message to the dead letters', async () => {
    const { process, givenUp } = setUp({ failing: ['unit-1'] });
    const alone = makeJobs(2).filter(({ unit }) => unit === 'unit-1');
    await process(alone, 2);
    expect(givenUp).toEqual([]);
    expect(await process(alone, 3)).toBe(20);
    expect(givenUp).toEqual([{ unit: 'unit-1', error: new Error('no unit-1') }]);
  });

  it('sends a job again that could not be given up, so that it is given up later', async () => {
    const { process, options, sent, errors } = setUp({ failing: ['unit-1'] });
    options.onGiveUp = async () => {
      throw new Error('the store is away');
    };
    expect(await process(makeJobs(1), 3)).toBeUndefined();
    expect(sent).toEqual([{ jobs: makeJobs(1), alone: true, delaySeconds: 20 }]);
    expect(errors.at(-1)?.message).toBe('the store is away');
  });

  describe('at the last receipt', () => {
    const alone = makeJobs(1);

    /** As `setUp`, and notes what happens in its order. */
    function setUpLast(given: SetUp = {}) {
      const set = setUp(given);
      const events: string[] = [];
      const { handle, onGiveUp } = set.options;
      const options = {
        ...set.options,
        onLastAttempt: async ({ unit }: Job) => {
          events.push(`begin ${unit}`);
          return async () => void events.push(`end ${unit}`);
        },
        handle: async (job: Job) => {
          events.push(`handle ${job.unit}`);
          await handle(job);
        },
        onGiveUp: async (job: Job, error: unknown) => {
          events.push(`give up ${job.unit}`);
          await onGiveUp(job, error);
        },
      };
      const process = (receipts: number) => processMessage({ body: encodeMessage(alone), receipts }, options);
      return { ...set, events, options, process };
    }

    it('says so before a job begins, and when it is done', async () => {
      const { process, events } = setUpLast();
      await process(2);
      expect(events).toEqual(['handle unit-1']);
      expect(await process(3)).toBeUndefined();
      expect(events.slice(1)).toEqual(['begin unit-1', 'handle unit-1', 'end unit-1']);
    });

    it('says so when a job was given up', async () => {
      const { process, events, sent } = setUpLast({ failing: ['unit-1'] });
      expect(await process(3)).toBe(20);
      expect(events).toEqual(['begin unit-1', 'handle unit-1', 'give up unit-1', 'end unit-1']);
      expect(sent).toEqual([]);
    });

    it('sends a job anew, and does not begin it, when that cannot be said', async () => {
      const { process, options, sent, handled } = setUpLast();
      options.onLastAttempt = async () => {
        throw new Error('the store is away');
      };
      expect(await process(3)).toBeUndefined();
      expect(handled).toEqual([]);
      expect(sent).toEqual([{ jobs: alone, alone: true, delaySeconds: 20 }]);
    });

    it('sends a job anew that was stopped: it has not failed', async () => {
      const { process, options, events, sent, stop } = setUpLast();
      options.handle = async () => {
        stop();
        throw new Error('interrupted');
      };
      expect(await process(3)).toBeUndefined();
      expect(sent).toEqual([{ jobs: alone, alone: true, delaySeconds: 0 }]);
      expect(events).toEqual(['begin unit-1', 'end unit-1']);
    });

    it('may be any after the second, when the queue does not say which is the last: a job that fails is sent anew', async () => {
      const { process, options, events, sent } = setUpLast({ failing: ['unit-1'] });
      options.maxReceives = async () => {
        throw new Error('denied');
      };
      expect(await process(2)).toBe(10);
      expect(await process(3)).toBeUndefined();
      expect(events).toEqual(['handle unit-1', 'begin unit-1', 'handle unit-1', 'end unit-1']);
      expect(sent).toEqual([{ jobs: alone, alone: true, delaySeconds: 20 }]);
    });

    it('gives up a job, also when that is the first', async () => {
      const { options, events } = setUpLast({ failing: ['unit-1'] });
      const once = { ...options, maxReceives: async () => 1 };
      expect(await processMessage({ body: encodeMessage(alone), receipts: 1 }, once)).toBe(5);
      expect(events).toEqual(['handle unit-1', 'give up unit-1']);
    });
  });

  describe('with an event of S3', () => {
    const body = JSON.stringify({
      Records: ['a.csv', 'b.csv', 'c.csv'].map((key) => ({
        eventSource: 'aws:s3',
        eventName: 'ObjectCreated:Put',
        s3: { bucket: { name: 'deliveries' }, object: { key } },
      })),
    });

    /** Processes the event. Returns the answer, and the keys that were ingested. */
    async function processEvent(
      { options }: ReturnType<typeof setUp>,
      ingest: (key: string) => IngestProgress | undefined = () => undefined,
    ) {
      const keys: string[] = [];
      const ingestObject = async ({ key }: ObjectToIngest) => {
        keys.push(key);
        return ingest(key);
      };
      return { answer: await processMessage({ body, receipts: 1 }, { ...options, ingestObject }), keys };
    }

    it('deletes it when all of its objects are ingested', async () => {
      const { answer, keys } = await processEvent(setUp());
      expect([answer, keys]).toEqual([undefined, ['a.csv', 'b.csv', 'c.csv']]);
    });

    it('leaves it on the queue when an object cannot be ingested, and ingests the others', async () => {
      const given = setUp();
      const { answer, keys } = await processEvent(given, (key) => {
        if (key === 'a.csv') throw new Error('it is damaged');
        return undefined;
      });
      expect([answer, keys]).toEqual([5, ['a.csv', 'b.csv', 'c.csv']]);
      expect(given.errors).toEqual([{ message: 'it is damaged', unit: undefined }]);
    });

    it('makes it available immediately when the abort interrupts an object', async () => {
      const given = setUp({ concurrency: 1 });
      const { answer, keys } = await processEvent(given, () => {
        given.stop();
        throw new Error('interrupted');
      });
      expect([answer, keys, given.errors, given.sentObjects]).toEqual([0, ['a.csv'], [], []]);
    });

    it('keeps how far an object came although another cannot be ingested, which is sent anew', async () => {
      const given = setUp({ concurrency: 1 });
      const progress = { etag: '"e"', entries: 7 };
      const { answer, keys } = await processEvent(given, (key) => {
        if (key === 'a.csv') throw new Error('it is damaged');
        given.stop();
        return progress;
      });
      expect([answer, keys]).toEqual([undefined, ['a.csv', 'b.csv']]);
      expect(given.sentObjects.map(({ key }) => key)).toEqual(['b.csv', 'c.csv', 'a.csv']);
      expect(given.sentObjects[0]?.progress).toEqual(progress);
    });

    it('sends what the abort has stopped anew with how far it came, and deletes it', async () => {
      const given = setUp({ concurrency: 1 });
      const progress = { etag: '"e"', entries: 7 };
      const { answer, keys } = await processEvent(given, (key) => {
        if (key === 'a.csv') return undefined;
        given.stop();
        return progress;
      });
      expect([answer, keys]).toEqual([undefined, ['a.csv', 'b.csv']]);
      const bucket = 'deliveries';
      expect(given.sentObjects).toEqual([
        { bucket, key: 'b.csv', progress },
        { bucket, key: 'c.csv' },
      ]);
    });
  });
});
