import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SigningKey } from '../../src/protocol/signature.ts';
import { askAws, clientOptions } from '../aws/ask-aws.ts';
import { readKeyList, writeKeyList } from './key-list.ts';

/** The keys that signers sign with, the first of them; kept in a secret. */
export interface SignerKeys {
  /** @returns no version while the secret is empty */
  read(): Promise<{ keys: readonly SigningKey[]; version: string | undefined }>;
  /**
   * Puts these in place of those that were read with the version.
   *
   * @returns the new version; `undefined` when somebody has written since: nothing was changed
   */
  write(keys: readonly SigningKey[], version: string | undefined): Promise<string | undefined>;
  close(): void;
}

const CURRENT = 'AWSCURRENT';
/** What a version is called that is not current yet. */
const PENDING = 'AWSPENDING';
const LOOK_EVERY_MS = 500;
const LOOKS = 20;

/** @param arn - of the secret */
export function openSignerKeys(arn: string): SignerKeys {
  const [, , , region] = arn.split(':');
  const client = new SecretsManagerClient({ ...clientOptions(), ...(region && { region }) });

  const get = () =>
    askAws('secretsmanager:GetSecretValue', async () => {
      try {
        return await client.send(new GetSecretValueCommand({ SecretId: arn }));
      } catch (error) {
        if (isEmpty(error)) return { SecretString: undefined, VersionId: undefined };
        throw error;
      }
    });

  /** Whether the version is current now: AWS moves the label only away from the version that it is told, so that nobody is overtaken. */
  async function makeCurrent(version: string, before: string | undefined): Promise<boolean> {
    try {
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: arn,
          VersionStage: CURRENT,
          MoveToVersionId: version,
          RemoveFromVersionId: before,
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'InvalidParameterException') throw error;
      // An answer that was lost and asked for again ends here too.
      return (await get()).VersionId === version;
    }
  }

  async function replace(
    keys: readonly SigningKey[],
    before: string | undefined,
  ): Promise<string | undefined> {
    // AWS calls the version by the token: an attempt whose answer is lost makes none of its own.
    const version = randomUUID();
    const put = new PutSecretValueCommand({
      SecretId: arn,
      ClientRequestToken: version,
      SecretString: writeKeyList(keys),
      VersionStages: [PENDING],
    });
    const { VersionStages } = await askAws('secretsmanager:PutSecretValue', () => client.send(put));
    // The first version of all becomes the current one by itself.
    if (VersionStages?.includes(CURRENT)) return version;
    const isCurrent = await askAws('secretsmanager:UpdateSecretVersionStage', () =>
      makeCurrent(version, before),
    );
    return isCurrent ? version : undefined;
  }

  /** Ends when reading gives another version than before: Secrets Manager may take a moment to tell everywhere. */
  async function leave(before: string | undefined): Promise<void> {
    for (let times = 0; times < LOOKS && (await get()).VersionId === before; times++)
      await sleep(LOOK_EVERY_MS);
  }

  return {
    async read() {
      const { SecretString, VersionId } = await get();
      const keys = readKeyList(SecretString, 'The secret');
      return { keys, version: VersionId };
    },

    async write(keys, version) {
      const made = await replace(keys, version);
      if (made !== undefined) await leave(version);
      return made;
    },

    close: () => client.destroy(),
  };
}

/** A secret that was made without a value has none under any label. */
function isEmpty(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === 'ResourceNotFoundException' &&
    /staging label|secret value/i.test(error.message)
  );
}
