import { expect, vi } from 'vitest';
import { createLocalQueue } from '../../src/queue/local-queue.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { createBucket, describeS3 } from '../support/store/bucket.ts';
import { describeQueue, type QueueUnderTest } from './queue-contract.ts';

describeS3('the local queue in S3', () => {
  const makeQueue = async (): Promise<QueueUnderTest> => {
    const store = createS3Store(await createBucket());
    const open = () => createLocalQueue({ store, retryDelayMs: 1, maxAttempts: 3 });
    return {
      queue: open(),
      reopen: open,
      deadLetters: async (count) => {
        return await vi.waitFor(async () => {
          const units: string[] = [];
          for await (const { key } of store.list('dead-letters')) {
            const letter = await store.get(key);
            units.push(JSON.parse(Buffer.from(letter?.body ?? '').toString()).unit);
          }
          expect(units).toHaveLength(count);
          return units;
        }, 10_000);
      },
    };
  };
  describeQueue('the local queue in a bucket', makeQueue, { jobs: 200 });
});
