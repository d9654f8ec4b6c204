import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, test } from 'vitest';
import { packMessages, decodeMessage } from '../../src/queue/message.ts';
import type { UnitQueue } from '../../src/queue/queue.ts';
import { createSqsQueue, type SqsQueueOptions } from '../../src/queue/sqs-queue.ts';
import { createSqsApi } from "../../src/queue/sqs-api.ts";
import { createSqsSender } from '../../src/queue/sqs-sender.ts';
import { createGate, makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';
import { type Asked, createWatchedClient } from '../support/queue/watched-client.ts';
import { createTestQueue, type TestQueue } from '../support/queue/sqs.ts';
import { describeQueue } from './queue-contract.ts';

let made: TestQueue;
beforeEach(async () => {
  made = await createTestQueue();
});

function openQueue(options: Partial<SqsQueueOptions> = {}): UnitQueue {
  return createSqsQueue({ ...made, waitSeconds: 0, retryDelaySeconds: 0, ...options });
}

/** The bodies of so many dead letters, which are then hidden. */
async function receiveDead(count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    const { Messages = [] } = await made.client.send(
      new ReceiveMessageCommand({ QueueUrl: made.deadUrl, MaxNumberOfMessages: 1, WaitTimeSeconds: 20 }),
    );
    bodies.push(...Messages.map(({ Body = '' }) => Body));
  }
  return bodies;
}

/** Receives the first message so often, and each time lets it go at once: what a consumer does that dies. */
async function receiveInVain(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await made.client.send(
      new ReceiveMessageCommand({
        QueueUrl: made.url,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: 20,
        VisibilityTimeout: 0,
      }),
    );
  }
}

/** A queue whose client is told how often a message was received. The name for that is the one that this SQS knows. */
async function openCountingQueue(
  options: Partial<SqsQueueOptions>,
  after?: (asked: Asked) => void,
): Promise<UnitQueue> {
  const before = ({ name, input }: Asked) => {
    if (name === 'ReceiveMessage') input.AttributeNames = input.MessageSystemAttributeNames;
  };
  return openQueue({ client: await createWatchedClient({ before, ...(after && { after }) }), ...options });
}

describeQueue('an SQS queue', async () => ({
  queue: openQueue(),
  reopen: openQueue,
  deadLetters: async (count) => {
    const bodies = await receiveDead(count);
    // This SQS counts what is in hand among what waits, too.
    expect(await openQueue({ url: made.deadUrl }).depth()).toBe(2 * count);
    return bodies.flatMap((body) => unitsOf(decodeMessage(body)));
  },
}));

test('thousands of units take few calls, and no call is too large', async () => {
  const asked: Asked[] = [];
  const queue = openQueue({ client: await createWatchedClient({ after: (each) => asked.push(each) }) });
  const longest = makeJobs(3000).map((job) => ({ ...job, unit: job.unit.padEnd(128, '~') }));
  await queue.send(longest);
  expect(asked.map(({ name }) => name)).toEqual(Array.from({ length: 12 }, () => 'SendMessageBatch'));
  for (const { input } of asked) expect(JSON.stringify(input).length).toBeLessThan(128 * 1024);
  expect(await queue.depth()).toBe(120);
});

test('messages that are done at about the same time are deleted together', async () => {
  const deletions: number[] = [];
  const after = ({ name, input }: Asked) => {
    if (name === 'DeleteMessageBatch') deletions.push(input.Entries.length);
  };
  const queue = openQueue({ client: await createWatchedClient({ after }) });
  await queue.send(makeJobs(30, 50));
  const gate = createGate();
  const consumer = startConsumer(queue, { handle: () => gate.passed, concurrency: 30 });
  await consumer.begun(30);
  gate.open();
  await consumer.stop();
  expect(deletions.reduce((sum, count) => sum + count, 0)).toBe(30);
  expect(deletions.length).toBeLessThan(10);
});

describe('a message', () => {
  test('that takes longer than the queue hides it is delivered once', async () => {
    made = await createTestQueue({ visibilitySeconds: 2, maxReceiveCount: 100 });
    const beats = createGate();
    let count = 0;
    const after = ({ name }: Asked) => {
      if (name === 'ChangeMessageVisibilityBatch' && ++count === 5) beats.open();
    };
    const queue = openQueue({ client: await createWatchedClient({ after }) });
    await queue.send(makeJobs(3));
    // The second and third wait for their turn all that time.
    const consumer = startConsumer(queue, { handle: () => beats.passed, concurrency: 1 });
    await consumer.begun(1);
    const rival = startConsumer(openQueue(), { concurrency: 1 });
    await consumer.begun(3);
    await consumer.stop();
    await rival.stop();
    expect([consumer.units, rival.units]).toEqual([unitsOf(makeJobs(3)), []]);
    expect([...consumer.faults, ...rival.faults]).toEqual([]);
    expect(await queue.depth()).toBe(0);
  });

  test('that was received and not begun when its consumer stops is at once there for others', async () => {
    made = await createTestQueue({ visibilitySeconds: 3600 });
    const hidden: number[] = [];
    const after = ({ name, input }: Asked) => {
      if (name === 'ChangeMessageVisibilityBatch') hidden.push(input.Entries[0].VisibilityTimeout);
    };
    const queue = openQueue({ client: await createWatchedClient({ after }) });
    // One message with one unit, then two with 25, of which the second is received for nothing.
    await queue.send(makeJobs(1, 50));
    await queue.send(makeJobs(51).slice(1));
    const gate = createGate();
    const consumer = startConsumer(queue, { handle: () => gate.passed, concurrency: 3 });
    await consumer.begun(3);
    const stopped = consumer.stop();
    gate.open();
    await stopped;
    expect(hidden).toEqual([0]);
    const next = startConsumer(openQueue());
    await next.begun(48);
    await next.stop();
    expect([...consumer.units, ...next.units].sort()).toEqual(unitsOf(makeJobs(51)).sort());
    expect([...consumer.faults, ...next.faults]).toEqual([]);
  });

  test('that is malformed is reported and ends with the dead letters, and others are done', async () => {
    const queue = openQueue();
    await made.client.send(new SendMessageCommand({ QueueUrl: made.url, MessageBody: 'hello?' }));
    await queue.send(makeJobs(30));
    const consumer = startConsumer(queue);
    expect(await receiveDead(1)).toEqual(['hello?']);
    await consumer.begun(30);
    await consumer.stop();
    expect(consumer.faults.length).toBeGreaterThan(1);
    for (const { fault } of consumer.faults) expect(String(fault)).toContain('not a message with units');
    expect(await queue.depth()).toBe(0);
  });

  test('that nobody finished twice is taken apart, so that what kills its worker dies alone', async () => {
    await openQueue().send(makeJobs(4));
    await receiveInVain(2);
    const sent: string[] = [];
    const queue = await openCountingQueue({}, ({ name, input }) => {
      if (name === 'SendMessageBatch') for (const { MessageBody } of input.Entries) sent.push(MessageBody);
    });
    const consumer = startConsumer(queue);
    await consumer.begun(4);
    await consumer.stop();
    expect(sent).toEqual(makeJobs(4).flatMap((job) => packMessages([job])));
    expect(consumer.units.sort()).toEqual(unitsOf(makeJobs(4)));
    expect(consumer.faults.map(({ fault }) => String(fault))).toEqual([expect.stringContaining('3 times')]);
    expect(await queue.depth()).toBe(0);
  });
});

describe('a job that failed', () => {
  const fail = () => {
    throw new Error('mine');
  };

  test('among others is sent again to be received later', async () => {
    const delays: number[] = [];
    const sent = createGate();
    const after = ({ name, input }: Asked) => {
      if (name !== 'SendMessageBatch') return;
      for (const { DelaySeconds } of input.Entries) delays.push(DelaySeconds);
      sent.open();
    };
    await openQueue().send(makeJobs(2));
    const client = await createWatchedClient({ after });
    startConsumer(openQueue({ client, retryDelaySeconds: 7 }), { handle: fail });
    await sent.passed;
    expect(delays).toEqual([7, 7]);
    expect(await openQueue().depth()).toBeGreaterThanOrEqual(2);
  });

  test('alone is hidden, the longer the more often it was received', async () => {
    await openQueue().send(makeJobs(1));
    await receiveInVain(2);
    const hidden = createGate();
    const delays: number[] = [];
    const queue = await openCountingQueue({ retryDelaySeconds: 7 }, ({ name, input }) => {
      if (name !== 'ChangeMessageVisibilityBatch') return;
      delays.push(input.Entries[0].VisibilityTimeout);
      hidden.open();
    });
    startConsumer(queue, { handle: fail });
    await hidden.passed;
    expect(delays).toEqual([28]);
  });

  test('is not hidden once more by what was to keep it hidden while it was in hand', async () => {
    made = await createTestQueue({ visibilitySeconds: 2, maxReceiveCount: 100 });
    const beating = createGate();
    const heldBack = createGate();
    const asked: number[] = [];
    const before = async ({ name, input }: Asked) => {
      if (name !== 'ChangeMessageVisibilityBatch') return;
      const seconds = input.Entries[0].VisibilityTimeout;
      asked.push(seconds);
      if (seconds === 0) return;
      beating.open();
      await heldBack.passed;
    };
    await openQueue().send(makeJobs(1));
    const handle = async () => {
      await beating.passed;
      if (consumer.units.length === 1) fail();
    };
    const client = await createWatchedClient({ before });
    const consumer = startConsumer(openQueue({ client }), { handle });
    await consumer.until(() => consumer.faults.length === 1);
    // Long enough to let go of it, if it did.
    for (let question = 0; question < 5; question += 1) await openQueue().depth();
    expect(asked).toEqual([2]);
    heldBack.open();
    await consumer.begun(2);
    expect(asked.slice(0, 2)).toEqual([2, 0]);
  });

  test('and cannot be sent again comes again with all others of its message', async () => {
    await openQueue().send(makeJobs(3));
    let down = true;
    const before = ({ name }: Asked) => {
      if (name === 'SendMessageBatch' && down) throw new Error('no send');
    };
    const handle = () => {
      if (down) fail();
    };
    const consumer = startConsumer(openQueue({ client: await createWatchedClient({ before }) }), { handle });
    await consumer.until(() => consumer.faults.some(({ fault }) => String(fault) === 'Error: no send'));
    down = false;
    await consumer.until(() => new Set(consumer.units.slice(3)).size === 3);
  });
});

describe('an SQS', () => {
  test('that cannot be asked is reported, and asked again', async () => {
    const refused = new Set<string>();
    const before = ({ name }: Asked) => {
      if (refused.has(name)) return;
      refused.add(name);
      throw new Error(`no ${name}`);
    };
    await openQueue().send(makeJobs(1));
    const consumer = startConsumer(openQueue({ client: await createWatchedClient({ before }) }));
    await consumer.begun(1);
    expect(consumer.faults.map(({ fault }) => String(fault))).toEqual([
      'Error: no GetQueueAttributes',
      'Error: no ReceiveMessage',
    ]);
  });

  test('that does not delete what is done is reported', async () => {
    const before = ({ name, input }: Asked) => {
      if (name === 'DeleteMessageBatch') for (const entry of input.Entries) entry.ReceiptHandle = 'no handle';
    };
    await openQueue().send(makeJobs(1));
    const consumer = startConsumer(openQueue({ client: await createWatchedClient({ before }) }));
    await consumer.begun(1);
    await consumer.stop();
    expect(consumer.faults.map(({ fault }) => String(fault))).toEqual([
      expect.stringContaining('did not delete'),
    ]);
  });

  test('that has no such queue keeps no consumer from stopping', async () => {
    const consumer = startConsumer(openQueue({ url: `${made.url}-not` }));
    await consumer.until(() => consumer.faults.length > 0);
    await consumer.stop();
    expect(String(consumer.faults[0]?.fault)).toContain('QueueDoesNotExist');
    await expect(openQueue({ url: `${made.url}-not` }).send(makeJobs(1))).rejects.toThrow();
  });

  test('that is asked for messages for 20 s is given up at once when the consumer stops', {
    timeout: 10_000,
  }, async () => {
    const waiting = createGate();
    let waitSeconds: unknown;
    const before = ({ name, input }: Asked) => {
      if (name !== 'ReceiveMessage') return;
      waitSeconds = input.WaitTimeSeconds;
      setImmediate(waiting.open);
    };
    const client = await createWatchedClient({ before });
    const consumer = startConsumer(createSqsQueue({ ...made, client }));
    await waiting.passed;
    await consumer.stop();
    expect(waitSeconds).toBe(20);
    expect(consumer.faults).toEqual([]);
  });
});

test('a unit is sent alone when it is said so', async () => {
  await createSqsSender(createSqsApi(made)).sendAlone(makeJobs(12), 0);
  expect(await openQueue().depth()).toBe(12);
});
