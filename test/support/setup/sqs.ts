import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createSqsServer } from 'local-aws-sqs';
import { afterAll } from 'vitest';
import { createSqsClient } from '../../../src/queue/sqs-api.ts';

/*
 * What this SQS does otherwise than Amazon's: a receipt is answered when it has as many messages as were asked for, or its time is
 * over, even when its client has gone; hiding a message counts as a receipt of it; and how often a message was received is told
 * only to those who ask by the old name of that. So consumers in tests wait for 0 s, and redrive policies allow for a few more.
 */

const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
let server: ReturnType<typeof createSqsServer> | undefined;
afterAll(async () => {
  if (!server) return;
  const running = await server;
  running.close().closeAllConnections();
  await once(running, 'close');
});

/** The SQS of a test file: it runs in this process, and ends with the tests of the file. */
async function sqsEndpoint(): Promise<string> {
  server ??= createSqsServer({ port: 0, hostname: '127.0.0.1' });
  const { port } = (await server).address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** A new client of it. */
export async function createTestSqsClient(): Promise<SQSClient> {
  return createSqsClient({ endpoint: await sqsEndpoint(), credentials });
}

export interface TestQueue {
  client: SQSClient;
  url: string;
  /** Of the queue of its dead letters. */
  deadUrl: string;
}

/** Makes a new, empty queue, with another for its dead letters. */
export async function createTestQueue({
  visibilitySeconds = 30,
  maxReceiveCount = 6,
} = {}): Promise<TestQueue> {
  const client = await createTestSqsClient();
  const name = randomUUID();
  const create = async (QueueName: string, Attributes: Record<string, string>) => {
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueUrl;
  };
  const deadUrl = await create(`${name}-dead`, {});
  const { Attributes: { QueueArn: deadLetterTargetArn } = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadUrl, AttributeNames: ['QueueArn'] }),
  );
  const url = await create(name, {
    VisibilityTimeout: String(visibilitySeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }),
  });
  return { client, url, deadUrl };
}
