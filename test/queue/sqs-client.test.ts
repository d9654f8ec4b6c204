import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { UnitQueue } from '../../src/queue/queue.ts';
import { createSqsClient } from '../../src/queue/sqs-api.ts';
import { createSqsQueue } from '../../src/queue/sqs-queue.ts';
import { makeJobs } from '../support/queue/consumer.ts';
import { findFreePorts } from '../support/setup/daemons.ts';

const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };

describe('the region', () => {
  const regionWith = async (environment: Record<string, string>, endpoint?: string): Promise<string> => {
    const none = {
      AWS_REGION: undefined,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    };
    for (const [name, value] of Object.entries({ ...none, ...environment })) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    return await createSqsClient({ endpoint, credentials }).config.region();
  };

  test('is the configured one, with or without an endpoint', async () => {
    expect(await regionWith({ AWS_REGION: 'ap-south-1' })).toBe('ap-south-1');
    expect(await regionWith({ AWS_REGION: 'ap-south-1' }, 'http://127.0.0.1:1')).toBe('ap-south-1');
  });

  test('is us-east-1 for an endpoint when none is configured', async () => {
    expect(await regionWith({}, 'http://127.0.0.1:1')).toBe('us-east-1');
  });

  test('must be configured for SQS itself', async () => {
    await expect(regionWith({})).rejects.toThrow('Region is missing');
  });
});

function openQueue(endpoint: string): UnitQueue {
  const client = createSqsClient({ endpoint, credentials });
  return createSqsQueue({ client, url: `${endpoint}/123456789012/units` });
}

describe('an SQS', () => {
  test('that is not there is a fault and no hang', async () => {
    const [port] = await findFreePorts(1);
    const queue = openQueue(`http://127.0.0.1:${port}`);
    await expect(queue.depth()).rejects.toThrow('ECONNREFUSED');
    await expect(queue.send(makeJobs(1))).rejects.toThrow('ECONNREFUSED');
  });

  test('that never answers is a fault and no hang', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => server.close().closeAllConnections());
    await once(server, 'listening');
    const queue = openQueue(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(queue.send(makeJobs(1))).rejects.toThrow();
  });
});

/* No real SQS refuses a part of a batch on demand. */
describe('an SQS that refuses messages of a batch', () => {
  interface Entry {
    Id: string;
    MessageBody: string;
  }

  /** Takes a message when `takes` says so, of how often that has come. Tells what it took. */
  async function startRefuser(takes: (body: string, times: number) => boolean) {
    const times = new Map<string, number>();
    const taken: string[] = [];
    const server = createServer(async (request, response) => {
      const { Entries } = JSON.parse(await text(request)) as { Entries: Entry[] };
      const answer = { Successful: [] as object[], Failed: [] as object[] };
      for (const { Id, MessageBody } of Entries) {
        times.set(MessageBody, (times.get(MessageBody) ?? 0) + 1);
        if (takes(MessageBody, times.get(MessageBody) ?? 0)) {
          taken.push(MessageBody);
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
    return { queue: openQueue(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), taken };
  }

  test('gets these again, and only these', async () => {
    const { queue, taken } = await startRefuser((body, times) => times > 1 || body.length % 3 === 0);
    const jobs = makeJobs(500);
    await queue.send(jobs);
    const units = taken.flatMap((body) => JSON.parse(body).jobs.map(({ unit }: { unit: string }) => unit));
    expect(units.sort()).toEqual(jobs.map(({ unit }) => unit).sort());
  });

  test('for good makes the send fail', async () => {
    const { queue } = await startRefuser((body) => !body.includes('unit-30"'));
    await expect(queue.send(makeJobs(500))).rejects.toThrow('InternalError: try again');
  });
});
