import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../src/queue/message.ts';
import type { UnitQueue } from '../../src/queue/queue.ts';
import { createSqsQueue, type SqsQueueOptions } from '../../src/queue/sqs-queue.ts';
import { createGate, makeJobs, startConsumer, unitsOf } from '../support/queue/consumer.ts';
import {
  createInterceptedClient,
  createTestQueue,
  type SqsCall,
  type TestQueue,
} from '../support/queue/sqs.ts';
import { describeQueue } from './queue-contract.ts';

let location: TestQueue;
beforeEach(async () => {
  location = await createTestQueue();
});

function openQueue(options: Partial<SqsQueueOptions> = {}): UnitQueue {
  return createSqsQueue({ ...location, waitSeconds: 0, retryDelaySeconds: 0, ...options });
}

/** Returns the bodies of this many dead letters, which are then invisible. */
async function receiveDeadLetters(count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    const { Messages = [] } = await location.client.send(
      new ReceiveMessageCommand({ QueueUrl: location.deadUrl, MaxNumberOfMessages: 1, WaitTimeSeconds: 20 }),
    );
    bodies.push(...Messages.map(({ Body = '' }) => Body));
  }
  return bodies;
}

/** Receives the first message this often, visible again each time, as if a consumer died. */
async function receiveAndDie(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await location.client.send(
      new ReceiveMessageCommand({
        QueueUrl: location.url,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: 20,
        VisibilityTimeout: 0,
      }),
    );
  }
}

/** Opens a queue whose client requests the receive count by its old name, the only one that this SQS server knows. */
async function openCountingQueue(
  options: Partial<SqsQueueOptions>,
  after?: (call: SqsCall) => void,
): Promise<UnitQueue> {
  const before = ({ name, input }: SqsCall) => {
    if (name === 'ReceiveMessage') input.AttributeNames = input.MessageSystemAttributeNames;
  };
  const client = await createInterceptedClient({ before, ...(after && { after }) });
  return openQueue({ client, ...options });
}

describeQueue('SQS', async () => ({
  queue: openQueue(),
  reopen: openQueue,
  deadLetters: async (count) => {
    const bodies = await receiveDeadLetters(count);
    // This SQS server counts messages in flight among the visible ones too.
    expect(await openQueue({ url: location.deadUrl }).depth()).toBe(2 * count);
    return bodies.flatMap((body) => unitsOf(decodeMessage(body)));
  },
}));

describe('a consumer of SQS', () => {
  it('deletes messages together that are done at about the same time', async () => {
    const deletions: number[] = [];
    const after = ({ name, input }: SqsCall) => {
      if (name === 'DeleteMessageBatch') deletions.push(input.Entries.length);
    };
    const queue = openQueue({ client: await createInterceptedClient({ after }) });
    await queue.send(makeJobs(30, 50));
    const gate = createGate();
    const consumer = startConsumer(queue, { handle: () => gate.opened, concurrency: 30 });
    await consumer.started(30);
    gate.open();
    await consumer.stop();
    expect(deletions.reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(deletions.length).toBeLessThan(10);
  });

  it('keeps messages from other consumers that take longer than the visibility timeout of the queue', async () => {
    location = await createTestQueue({ visibilitySeconds: 4, maxReceiveCount: 100 });
    const extended = createGate();
    let extensions = 0;
    const after = ({ name }: SqsCall) => {
      // Three in each timeout.
      if (name === 'ChangeMessageVisibilityBatch' && ++extensions === 4) extended.open();
    };
    const queue = openQueue({ client: await createInterceptedClient({ after }) });
    await queue.send(makeJobs(3));
    // The second and third job wait for the first all that time.
    const consumer = startConsumer(queue, { handle: () => extended.opened, concurrency: 1 });
    await consumer.started(1);
    const rival = startConsumer(openQueue(), { concurrency: 1 });
    await consumer.started(3);
    await consumer.stop();
    await rival.stop();
    expect([consumer.units, rival.units]).toEqual([unitsOf(makeJobs(3)), []]);
    expect([...consumer.errors, ...rival.errors]).toEqual([]);
    expect(await queue.depth()).toBe(0);
  });

  it('makes messages that it has received but not started available immediately when it stops', async () => {
    location = await createTestQueue({ visibilitySeconds: 3600 });
    const timeouts: number[] = [];
    const after = ({ name, input }: SqsCall) => {
      if (name === 'ChangeMessageVisibilityBatch') timeouts.push(input.Entries[0].VisibilityTimeout);
    };
    const queue = openQueue({ client: await createInterceptedClient({ after }) });
    // One message with one unit, then two with 25, of which the second is received and not started.
    await queue.send(makeJobs(1, 50));
    await queue.send(makeJobs(51).slice(1));
    const gate = createGate();
    const consumer = startConsumer(queue, { handle: () => gate.opened, concurrency: 3 });
    await consumer.started(3);
    const stopped = consumer.stop();
    gate.open();
    await stopped;
    expect(timeouts).toEqual([0]);
    const next = startConsumer(openQueue());
    await next.started(48);
    await next.stop();
    expect([...consumer.units, ...next.units].sort()).toEqual(unitsOf(makeJobs(51)).sort());
    expect([...consumer.errors, ...next.errors]).toEqual([]);
  });

  it('reports a malformed message until it is a dead letter, and does the jobs of the others', async () => {
    const queue = openQueue();
    await location.client.send(new SendMessageCommand({ QueueUrl: location.url, MessageBody: 'hello?' }));
    await queue.send(makeJobs(30));
    const consumer = startConsumer(queue);
    expect(await receiveDeadLetters(1)).toEqual(['hello?']);
    await consumer.started(30);
    await consumer.stop();
    expect(consumer.errors.length).toBeGreaterThan(1);
    for (const { error } of consumer.errors) expect(String(error)).toContain('not a message with units');
    expect(await queue.depth()).toBe(0);
  });

  it('sends each job of a message alone that was received twice and never finished', async () => {
    await openQueue().send(makeJobs(4));
    await receiveAndDie(2);
    const sent: string[] = [];
    const queue = await openCountingQueue({}, ({ name, input }) => {
      if (name === 'SendMessageBatch') for (const { MessageBody } of input.Entries) sent.push(MessageBody);
    });
    const consumer = startConsumer(queue);
    await consumer.started(4);
    await consumer.stop();
    expect(sent).toEqual(makeJobs(4).map((job) => encodeMessage([job])));
    expect(consumer.units.sort()).toEqual(unitsOf(makeJobs(4)));
    expect(consumer.errors.map(({ error }) => String(error))).toEqual([expect.stringContaining('3 times')]);
    expect(await queue.depth()).toBe(0);
  });
});

describe('a consumer of SQS whose jobs fail', () => {
  const fail = () => {
    throw new Error('mine');
  };

  it('sends the jobs of a message again with a delay', async () => {
    const delays: number[] = [];
    const sent = createGate();
    const after = ({ name, input }: SqsCall) => {
      if (name !== 'SendMessageBatch') return;
      for (const { DelaySeconds } of input.Entries) delays.push(DelaySeconds);
      sent.open();
    };
    await openQueue().send(makeJobs(2));
    const client = await createInterceptedClient({ after });
    startConsumer(openQueue({ client, retryDelaySeconds: 7 }), { handle: fail });
    await sent.opened;
    expect(delays).toEqual([7, 7]);
    expect(await openQueue().depth()).toBeGreaterThanOrEqual(2);
  });

  it('leaves a single job on the queue for the longer, the more often it was received', async () => {
    await openQueue().send(makeJobs(1));
    await receiveAndDie(2);
    const released = createGate();
    const timeouts: number[] = [];
    const queue = await openCountingQueue({ retryDelaySeconds: 7 }, ({ name, input }) => {
      if (name !== 'ChangeMessageVisibilityBatch') return;
      timeouts.push(input.Entries[0].VisibilityTimeout);
      released.open();
    });
    startConsumer(queue, { handle: fail });
    await released.opened;
    expect(timeouts).toEqual([28]);
  });

  it('makes a job available only after the heartbeat in flight, which would hide it again', async () => {
    location = await createTestQueue({ visibilitySeconds: 2, maxReceiveCount: 100 });
    const heartbeat = createGate();
    const answer = createGate();
    const timeouts: number[] = [];
    const before = async ({ name, input }: SqsCall) => {
      if (name !== 'ChangeMessageVisibilityBatch') return;
      const seconds = input.Entries[0].VisibilityTimeout;
      timeouts.push(seconds);
      if (seconds === 0) return;
      heartbeat.open();
      await answer.opened;
    };
    await openQueue().send(makeJobs(1));
    const handle = async () => {
      await heartbeat.opened;
      if (consumer.units.length === 1) fail();
    };
    const client = await createInterceptedClient({ before });
    const consumer = startConsumer(openQueue({ client }), { handle });
    await consumer.until(() => consumer.errors.length === 1);
    // Several round trips, in which the job would be released if the consumer did not wait.
    for (let call = 0; call < 5; call += 1) await openQueue().depth();
    expect(timeouts).toEqual([2]);
    answer.open();
    await consumer.started(2);
    expect(timeouts.slice(0, 2)).toEqual([2, 0]);
  });

  it('leaves the whole message on the queue when its jobs cannot be sent again', async () => {
    await openQueue().send(makeJobs(3));
    let isDown = true;
    const before = ({ name }: SqsCall) => {
      if (name === 'SendMessageBatch' && isDown) throw new Error('no send');
    };
    const handle = () => {
      if (isDown) fail();
    };
    const client = await createInterceptedClient({ before });
    const consumer = startConsumer(openQueue({ client }), { handle });
    await consumer.until(() => consumer.errors.some(({ error }) => String(error) === 'Error: no send'));
    isDown = false;
    await consumer.until(() => new Set(consumer.units.slice(3)).size === 3);
    expect(new Set(consumer.units.slice(3))).toEqual(new Set(unitsOf(makeJobs(3))));
  });
});

describe('a consumer of an SQS that fails', () => {
  it('reports calls that fail, and repeats them', async () => {
    const refused = new Set<string>();
    const before = ({ name }: SqsCall) => {
      if (refused.has(name)) return;
      refused.add(name);
      throw new Error(`no ${name}`);
    };
    await openQueue().send(makeJobs(1));
    const consumer = startConsumer(openQueue({ client: await createInterceptedClient({ before }) }));
    await consumer.started(1);
    expect(consumer.errors.map(({ error }) => String(error))).toEqual([
      'Error: no GetQueueAttributes',
      'Error: no ReceiveMessage',
    ]);
  });

  it('reports a message that was not deleted', async () => {
    const before = ({ name, input }: SqsCall) => {
      if (name === 'DeleteMessageBatch') for (const entry of input.Entries) entry.ReceiptHandle = 'no handle';
    };
    await openQueue().send(makeJobs(1));
    const consumer = startConsumer(openQueue({ client: await createInterceptedClient({ before }) }));
    await consumer.started(1);
    await consumer.stop();
    expect(consumer.errors.map(({ error }) => String(error))).toEqual([
      expect.stringContaining('did not delete'),
    ]);
  });

  it('stops although the queue does not exist', async () => {
    const consumer = startConsumer(openQueue({ url: `${location.url}-not` }));
    await consumer.until(() => consumer.errors.length > 0);
    await consumer.stop();
    expect(String(consumer.errors[0]?.error)).toMatch(/there is no queue http:.*QUEUE, which names it/);
    await expect(openQueue({ url: `${location.url}-not` }).send(makeJobs(1))).rejects.toThrow();
  });

  it('aborts a call that waits 20 s for messages when it stops', async () => {
    const waiting = createGate();
    let waitSeconds: unknown;
    let isAnswered = false;
    const before = ({ name, input }: SqsCall) => {
      if (name !== 'ReceiveMessage') return;
      waitSeconds = input.WaitTimeSeconds;
      setImmediate(waiting.open);
    };
    const after = ({ name }: SqsCall) => {
      if (name === 'ReceiveMessage') isAnswered = true;
    };
    const client = await createInterceptedClient({ before, after });
    const consumer = startConsumer(createSqsQueue({ ...location, client }));
    await waiting.opened;
    await consumer.stop();
    expect(waitSeconds).toBe(20);
    expect(isAnswered).toBe(false);
    expect(consumer.errors).toEqual([]);
  });
});
