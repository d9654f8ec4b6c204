import type { SQSClient } from '@aws-sdk/client-sqs';
import { createTestSqsClient } from '../setup/sqs.ts';

/** What a queue asks of SQS: a command's name, such as `ReceiveMessage`, and its input. */
export interface Asked {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: there are as many shapes as commands.
  input: any;
}

export interface WatchOptions {
  /** May change what is asked, hold it back, or throw in the place of an answer. */
  before?: (asked: Asked) => void | Promise<void>;
  /** When it has been answered. */
  after?: (asked: Asked) => void;
}

/** A client of the test's SQS, through whose eyes can be seen what is asked. */
export async function createWatchedClient({ before, after }: WatchOptions): Promise<SQSClient> {
  const client = await createTestSqsClient();
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const asked = { name: commandName.replace(/Command$/, ''), input: args.input };
        await before?.(asked);
        const answer = await next(args);
        after?.(asked);
        return answer;
      },
    { step: 'initialize' },
  );
  return client;
}
