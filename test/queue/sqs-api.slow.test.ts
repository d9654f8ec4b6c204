import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { UnitQueue } from '../../src/queue/queue.ts';
import { createSqsClient } from '../../src/queue/sqs-api.ts';
import { createSqsQueue } from '../../src/queue/sqs-queue.ts';
import { makeJobs } from '../support/queue/consumer.ts';
import { findFreePorts } from '../support/setup/daemons.ts';

const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };

function openQueue(endpoint: string): UnitQueue {
  const client = createSqsClient({ endpoint, credentials });
  return createSqsQueue({ client, url: `${endpoint}/123456789012/units` });
}

describe('the region of createSqsClient', () => {
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

  it.each([
    ['without an endpoint', undefined],
    ['with an endpoint', 'http://127.0.0.1:1'],
  ])('is the configured one %s', async (_name, endpoint) => {
    expect(await regionWith({ AWS_REGION: 'ap-south-1' }, endpoint)).toBe('ap-south-1');
  });

  it('is us-east-1 with an endpoint when none is configured', async () => {
    expect(await regionWith({}, 'http://127.0.0.1:1')).toBe('us-east-1');
  });

  it('must be configured without an endpoint', async () => {
    await expect(regionWith({})).rejects.toThrow('Region is missing');
  });
});

describe('an SQS queue without a working server', () => {
  it('throws when nothing listens', async () => {
    const [port] = await findFreePorts(1);
    const queue = openQueue(`http://127.0.0.1:${port}`);
    await expect(queue.depth()).rejects.toThrow('ECONNREFUSED');
    await expect(queue.send(makeJobs(1))).rejects.toThrow('ECONNREFUSED');
  });

  it('throws when the server never answers', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => server.close().closeAllConnections());
    await once(server, 'listening');
    const queue = openQueue(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(queue.send(makeJobs(1))).rejects.toThrow();
  });
});
