import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createSqsServer } from 'local-aws-sqs';
import { afterAll } from 'vitest';
import { createSqsClient } from '../../../src/queue/sqs-api.ts';

/*
 * Differences from Amazon's SQS: a receive call returns only when it has as many messages as requested, or when its wait time is
 * over, even after its client has gone; changing the visibility of a message counts as receiving it; and the receive count is sent
 * only to those who request it by its old name. So consumers in tests have a wait time of 0 s, and redrive policies allow for a few
 * more receives.
 */

const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
let server: ReturnType<typeof createSqsServer> | undefined;
afterAll(async () => {
  if (!server) return;
  const running = await server;
  running.close().closeAllConnections();
  await once(running, 'close');
});

/** The endpoint of the SQS server of a test file. It runs in this process, and stops after the tests of the file. */
async function sqsEndpoint(): Promise<string> {
  server ??= createSqsServer({ port: 0, hostname: '127.0.0.1' });
  const { port } = (await server).address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** Creates a client of it. */
export async function createTestSqsClient(): Promise<SQSClient> {
  return createSqsClient({ endpoint: await sqsEndpoint(), credentials });
}

export interface TestQueue {
  client: SQSClient;
  url: string;
  /** The URL of its dead-letter queue. */
  deadUrl: string;
}

/** Creates an empty queue with a dead-letter queue. */
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

/** A call to SQS. */
export interface SqsCall {
  /** The command, such as `ReceiveMessage`. */
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: every command has its own shape.
  input: any;
}

export interface InterceptOptions {
  /** Called before a call is sent: may change its input, hold it back, or throw instead. */
  before?: (call: SqsCall) => void | Promise<void>;
  /** Called once a call has been answered. */
  after?: (call: SqsCall) => void;
}

/** Creates a client of the SQS server of the test file whose calls can be observed and changed. */
export async function createInterceptedClient({ before, after }: InterceptOptions): Promise<SQSClient> {
  const client = await createTestSqsClient();
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const call = { name: commandName.replace(/Command$/, ''), input: args.input };
        await before?.(call);
        const answer = await next(args);
        after?.(call);
        return answer;
      },
    { step: 'initialize' },
  );
  return client;
}
