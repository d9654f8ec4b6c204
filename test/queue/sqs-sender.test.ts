import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeMessage } from '../../src/queue/message.ts';
import type { Job } from '../../src/queue/queue.ts';
import { withoutRefusedGroups } from '../../src/queue/refused-groups.ts';
import { createSqsApi, createSqsClient } from '../../src/queue/sqs-api.ts';
import { createSqsQueue } from '../../src/queue/sqs-queue.ts';
import { createSqsSender } from '../../src/queue/sqs-sender.ts';
import { makeJobs, unitsOf } from '../support/queue/consumer.ts';
import { createInterceptedClient, createTestQueue, type SqsCall } from '../support/queue/sqs.ts';

describe('createSqsSender', () => {
  it('sends thousands of units in few calls, none of which is too large', async () => {
    const calls: SqsCall[] = [];
    const queue = await createTestQueue();
    const client = await createInterceptedClient({ after: (call) => calls.push(call) });
    const jobs = makeJobs(3000).map((job) => ({ ...job, unit: job.unit.padEnd(128, '~') }));
    await createSqsSender(createSqsApi({ ...queue, client })).send(jobs);
    expect(calls.map(({ name }) => name)).toEqual(Array.from({ length: 12 }, () => 'SendMessageBatch'));
    for (const { input } of calls) expect(JSON.stringify(input).length).toBeLessThan(128 * 1024);
    expect(await createSqsQueue(queue).depth()).toBe(120);
  });

  it('sends each job in a message of its own with sendAlone', async () => {
    const queue = await createTestQueue();
    await createSqsSender(createSqsApi(queue)).sendAlone(makeJobs(12), 0);
    expect(await createSqsQueue(queue).depth()).toBe(12);
  });

  it('names the client of each message, and sends none for jobs without one', async () => {
    const calls: SqsCall[] = [];
    const queue = await createTestQueue();
    const client = await createInterceptedClient({ after: (call) => calls.push(call) });
    const sender = createSqsSender(createSqsApi({ ...queue, client }));
    const [a, b, c, d] = makeJobs(4);
    const jobs = [
      { ...a, client: 'client-7' },
      { ...b, client: 'photos.test:8080' },
      { ...c, client: 'client-7' },
      d,
    ];
    await sender.send(jobs as Job[]);
    await sender.sendAlone(jobs.slice(1, 2) as Job[], 0);
    const entries = calls.flatMap(({ input }) => input.Entries as Entry[]);
    expect(
      entries.map(({ MessageGroupId, MessageBody }) => [MessageGroupId, unitsOf(decodeMessage(MessageBody))]),
    ).toEqual([
      ['client-7', unitsOf([a, c] as Job[])],
      ['photos.test:8080', unitsOf([b] as Job[])],
      [undefined, unitsOf([d] as Job[])],
      ['photos.test:8080', unitsOf([b] as Job[])],
    ]);
    expect(await createSqsQueue(queue).depth()).toBe(4);
  });

  it.each([
    ['some messages', (Id: number) => Id % 2 === 0],
    ['whole calls', 'all'],
  ] as const)('sends without groups from then on when the server refuses %s with one', async (_, refuses) => {
    const { sender, accepted, reasons } = await startRefusingServer(() => true, refuses);
    const jobs = makeJobs(600).map((job, index) => ({ ...job, client: `client-${index}` }));
    await sender.send(jobs);
    expect(accepted.flatMap((body) => unitsOf(JSON.parse(body).jobs)).sort()).toEqual(unitsOf(jobs).sort());
    expect(reasons).toEqual([expect.stringContaining('MessageGroupId')]);
  });

  it('sends the messages of a batch again that SQS refused, and only these', async () => {
    const { sender, accepted } = await startRefusingServer(
      (body, attempts) => attempts > 1 || body.length % 3 === 0,
    );
    const jobs = makeJobs(500);
    await sender.send(jobs);
    const units = accepted.flatMap((body) => unitsOf(JSON.parse(body).jobs));
    expect(units.sort()).toEqual(unitsOf(jobs).sort());
  });

  it('does not send without groups again what had none, whatever the server says of it', async () => {
    let calls = 0;
    const told: string[] = [];
    const refuse = async () => {
      calls++;
      throw new Error('A parameter is not valid for this queue type');
    };
    const send = withoutRefusedGroups(refuse, (reason) => told.push(reason));
    await expect(send([{ body: 'a', group: undefined }], 0)).rejects.toThrow('not valid for this queue type');
    expect([calls, told]).toEqual([1, []]);
  });

  it('throws when SQS keeps refusing a message', async () => {
    const { sender } = await startRefusingServer((body) => !body.includes('unit-30"'));
    await expect(sender.send(makeJobs(500))).rejects.toThrow('InternalError: try again');
  });
});

interface Entry {
  Id: string;
  MessageBody: string;
  MessageGroupId?: string;
}

/**
 * Starts a server that accepts some messages of a batch and refuses the others, which no real SQS does on demand.
 *
 * @param accepts - decides about a message, by its body and how often it has been sent
 * @param refusesGroup - which messages with a group it refuses, or all calls with one
 */
async function startRefusingServer(
  accepts: (body: string, attempts: number) => boolean,
  refusesGroup: 'all' | ((id: number) => boolean) = () => false,
) {
  const reasons: string[] = [];
  const refusal = {
    Code: 'InvalidParameterValue',
    Message: 'Value x for parameter MessageGroupId is invalid',
  };
  const attempts = new Map<string, number>();
  const accepted: string[] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = JSON.parse(await text(request)) as { Entries: Entry[] };
    const answer = { Successful: [] as object[], Failed: [] as object[] };
    if (refusesGroup === 'all' && Entries.some(({ MessageGroupId }) => MessageGroupId !== undefined)) {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: refusal.Code, message: refusal.Message }));
      return;
    }
    for (const { Id, MessageBody, MessageGroupId } of Entries) {
      if (MessageGroupId !== undefined && refusesGroup !== 'all' && refusesGroup(Number(Id))) {
        answer.Failed.push({ Id, ...refusal, SenderFault: true });
        continue;
      }
      const attempt = (attempts.get(MessageBody) ?? 0) + 1;
      attempts.set(MessageBody, attempt);
      if (accepts(MessageBody, attempt)) {
        accepted.push(MessageBody);
        const MD5OfMessageBody = createHash('md5').update(MessageBody).digest('hex');
        answer.Successful.push({ Id, MessageId: Id, MD5OfMessageBody });
      } else {
        answer.Failed.push({ Id, Code: 'InternalError', Message: 'try again', SenderFault: false });
      }
    }
    response.setHeader('content-type', 'application/x-amz-json-1.0').end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createSqsClient({
    endpoint,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  });
  const onUnfair = (reason: string) => void reasons.push(reason);
  const sender = createSqsSender(createSqsApi({ client, url: `${endpoint}/123456789012/units`, onUnfair }));
  return { sender, accepted, reasons };
}
