// KeyValueStore wants SigV4A, which the SDK only knows once this is loaded.
import '@aws-sdk/signature-v4a';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFrontKeyValueStoreClient,
  DescribeKeyValueStoreCommand,
  GetKeyCommand,
  PutKeyCommand,
} from '@aws-sdk/client-cloudfront-keyvaluestore';
import { EDGE_KEYS_ITEM, type SigningKey } from '../../src/protocol/signature.ts';
import { askAws, clientOptions } from '../cli/aws.ts';
import { CommandFailure } from '../cli/command.ts';
import { readKeyList, writeKeyList } from './key-list.ts';

/** The keys that the edge verifies with: an item of a CloudFront KeyValueStore. */
export interface EdgeKeys {
  read(): Promise<{ keys: readonly SigningKey[]; etag: string }>;
  /**
   * Puts these in place of those that were read with the ETag.
   *
   * @returns `false` when somebody has written since: nothing was changed
   */
  write(keys: readonly SigningKey[], etag: string): Promise<boolean>;
  /** Ends when the store gives these, and so is on its way to tell the edge. */
  confirm(keys: readonly SigningKey[]): Promise<void>;
  close(): void;
}

const CONFIRM_EVERY_MS = 500;
const CONFIRM_TIMES = 60;

/** @param arn - of the KeyValueStore */
export function openEdgeKeys(arn: string): EdgeKeys {
  // It is one for the whole world, but the SDK wants a region to know which of the worlds.
  const client = new CloudFrontKeyValueStoreClient({ ...clientOptions(), region: 'us-east-1' });

  async function get(): Promise<string | undefined> {
    try {
      return (await client.send(new GetKeyCommand({ KvsARN: arn, Key: EDGE_KEYS_ITEM }))).Value;
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  }

  async function readEtag(): Promise<string> {
    const { ETag } = await client.send(new DescribeKeyValueStoreCommand({ KvsARN: arn }));
    if (ETag === undefined) throw new Error('an answer without an ETag');
    return ETag;
  }

  return {
    async read() {
      // The ETag first: what is written in between is then seen, or makes our own write fail.
      const etag = await askAws('cloudfront-keyvaluestore:DescribeKeyValueStore', readEtag);
      const text = await askAws('cloudfront-keyvaluestore:GetKey', get);
      return { etag, keys: readKeyList(text, `The item ${EDGE_KEYS_ITEM} of the KeyValueStore`) };
    },

    write: (keys, etag) =>
      askAws('cloudfront-keyvaluestore:PutKey', async () => {
        try {
          const value = writeKeyList(keys);
          await client.send(
            new PutKeyCommand({ KvsARN: arn, Key: EDGE_KEYS_ITEM, Value: value, IfMatch: etag }),
          );
          return true;
        } catch (error) {
          if (isOvertaken(error)) return false;
          throw error;
        }
      }),

    async confirm(keys) {
      const wanted = writeKeyList(keys);
      for (let times = 1; (await askAws('cloudfront-keyvaluestore:GetKey', get)) !== wanted; times++) {
        if (times === CONFIRM_TIMES)
          throw new CommandFailure(
            'The KeyValueStore does not give what was put into it. Run this again later.',
          );
        await sleep(CONFIRM_EVERY_MS);
      }
    },

    close: () => client.destroy(),
  };
}

/** The reference says 409; what is said of a stale ETag in practice is a 400 that names the precondition. */
function isOvertaken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'ConflictException' || /pre-?condition/i.test(`${error.name} ${error.message}`);
}
