// The SDK can sign with SigV4A, which KeyValueStore requires, only once this is loaded.
import '@aws-sdk/signature-v4a';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFrontKeyValueStoreClient,
  DescribeKeyValueStoreCommand,
  GetKeyCommand,
  PutKeyCommand,
} from '@aws-sdk/client-cloudfront-keyvaluestore';
import { EDGE_KEYS_ITEM, type SigningKey } from '../../src/protocol/signature.ts';
import { callAws, clientOptions } from '../cli/aws.ts';
import { CommandFailure } from '../cli/command.ts';
import { readKeyList, writeKeyList } from './key-list.ts';

/** The keys with which the edge verifies signatures: an item of a CloudFront KeyValueStore. */
export interface EdgeKeys {
  read(): Promise<{ keys: readonly SigningKey[]; etag: string }>;
  /**
   * Replaces the keys that were read with the ETag.
   *
   * @returns `false` when somebody else has written since: then nothing is changed
   */
  write(keys: readonly SigningKey[], etag: string): Promise<boolean>;
  /**
   * Resolves when a read returns these keys: from then on they are distributed to the edge locations.
   *
   * @throws CommandFailure when that takes longer than 30 s
   */
  confirm(keys: readonly SigningKey[]): Promise<void>;
  close(): void;
}

const CONFIRM_EVERY_MS = 500;
const MAX_CONFIRM_READS = 60;

/** @param arn - of the KeyValueStore */
export function openEdgeKeys(arn: string): EdgeKeys {
  // The service is global. The SDK derives the partition, such as `aws`, from the region.
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
    if (ETag === undefined) throw new Error('the response has no ETag');
    return ETag;
  }

  return {
    async read() {
      // The ETag first: a write of somebody else in between is then either read, or makes our own write fail.
      const etag = await callAws('cloudfront-keyvaluestore:DescribeKeyValueStore', readEtag);
      const text = await callAws('cloudfront-keyvaluestore:GetKey', get);
      return { etag, keys: readKeyList(text, `The item ${EDGE_KEYS_ITEM} of the KeyValueStore`) };
    },

    write: (keys, etag) =>
      callAws('cloudfront-keyvaluestore:PutKey', async () => {
        try {
          const value = writeKeyList(keys);
          await client.send(
            new PutKeyCommand({ KvsARN: arn, Key: EDGE_KEYS_ITEM, Value: value, IfMatch: etag }),
          );
          return true;
        } catch (error) {
          if (isConflict(error)) return false;
          throw error;
        }
      }),

    async confirm(keys) {
      const wanted = writeKeyList(keys);
      for (let reads = 1; (await callAws('cloudfront-keyvaluestore:GetKey', get)) !== wanted; reads++) {
        if (reads === MAX_CONFIRM_READS)
          throw new CommandFailure(
            'The KeyValueStore does not return the keys that were written to it. Run this again later.',
          );
        await sleep(CONFIRM_EVERY_MS);
      }
    },

    close: () => client.destroy(),
  };
}

/** The API reference documents 409 for a stale ETag. In practice it is a 400 that names the precondition. */
function isConflict(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'ConflictException' || /pre-?condition/i.test(`${error.name} ${error.message}`);
}
