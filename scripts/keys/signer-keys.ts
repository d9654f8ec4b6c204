import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SigningKey } from '../../src/protocol/signature.ts';
import { callAws, clientOptions } from '../cli/aws.ts';
import { readKeyList, writeKeyList } from './key-list.ts';

/** The keys of the signers, who sign with the first: a secret in Secrets Manager. */
export interface SignerKeys {
  /** @returns `version: undefined` while the secret is empty */
  read(): Promise<{ keys: readonly SigningKey[]; version: string | undefined }>;
  /**
   * Replaces the keys that were read with the version.
   *
   * @returns the new version; `undefined` when somebody else has written since: then nothing is changed
   */
  write(keys: readonly SigningKey[], version: string | undefined): Promise<string | undefined>;
  close(): void;
}

const CURRENT = 'AWSCURRENT';
/** The staging label of a version that is not current yet. */
const PENDING = 'AWSPENDING';
const POLL_EVERY_MS = 500;
const MAX_POLLS = 20;

/** @param arn - of the secret */
export function openSignerKeys(arn: string): SignerKeys {
  const [, , , region] = arn.split(':');
  const client = new SecretsManagerClient({ ...clientOptions(), ...(region && { region }) });

  const get = () =>
    callAws('secretsmanager:GetSecretValue', async () => {
      try {
        return await client.send(new GetSecretValueCommand({ SecretId: arn }));
      } catch (error) {
        if (isEmpty(error)) return { SecretString: undefined, VersionId: undefined };
        throw error;
      }
    });

  /**
   * Makes a version the current one, unless another than `before` is: AWS moves the label only away from the version that is named.
   *
   * @returns whether it is current now
   */
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
      // The retry of a call whose response was lost fails in the same way, though the version is current.
      return (await get()).VersionId === version;
    }
  }

  async function replace(
    keys: readonly SigningKey[],
    before: string | undefined,
  ): Promise<string | undefined> {
    // The token is the id of the version, so the retry of a call whose response was lost creates no second version.
    const version = randomUUID();
    const put = new PutSecretValueCommand({
      SecretId: arn,
      ClientRequestToken: version,
      SecretString: writeKeyList(keys),
      VersionStages: [PENDING],
    });
    const { VersionStages } = await callAws('secretsmanager:PutSecretValue', () => client.send(put));
    // The first version of a secret becomes current by itself.
    if (VersionStages?.includes(CURRENT)) return version;
    const isCurrent = await callAws('secretsmanager:UpdateSecretVersionStage', () =>
      makeCurrent(version, before),
    );
    return isCurrent ? version : undefined;
  }

  /** Waits until a read no longer returns the version before: Secrets Manager is eventually consistent. */
  async function waitUntilReplaced(before: string | undefined): Promise<void> {
    for (let polls = 0; polls < MAX_POLLS && (await get()).VersionId === before; polls++)
      await sleep(POLL_EVERY_MS);
  }

  return {
    async read() {
      const { SecretString, VersionId } = await get();
      const keys = readKeyList(SecretString, 'The secret');
      return { keys, version: VersionId };
    },

    async write(keys, version) {
      const written = await replace(keys, version);
      if (written !== undefined) await waitUntilReplaced(version);
      return written;
    },

    close: () => client.destroy(),
  };
}

/** A secret that was created without a value has no version with any label. */
function isEmpty(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === 'ResourceNotFoundException' &&
    /staging label|secret value/i.test(error.message)
  );
}
