// Before any AWS client is loaded.
import './localhost-names.mjs';
import { type Ended, runCommandInProcess } from '../command.ts';
import { cloudFormation, type StubStack } from './account-services.ts';
import { startAws } from './aws.ts';
import { KEY_VALUE_STORE_ARN, keyValueStore } from './key-value-store.ts';
import { SECRET_ARN, secretsManager } from './secrets-manager.ts';

export const ENVIRONMENT = {
  STORE: 's3://bucket',
  PUBLIC_URL: "https://it's.example.com",
  AWS_REGION: 'eu-north-1',
};

export const DEPLOYED: StubStack = {
  status: 'UPDATE_COMPLETE',
  outputs: {
    Environment: JSON.stringify(ENVIRONMENT),
    Url: 'https://d111111abcdef8.cloudfront.net',
    KeyValueStoreArn: KEY_VALUE_STORE_ARN,
    SigningKeysSecretArn: SECRET_ARN,
  },
};

/** Starts AWS with a stack named Edgepress and these signing keys at the edge and with the signers. */
export async function setUpStack({
  edge,
  signers,
  stack = DEPLOYED,
}: {
  edge?: string | undefined;
  signers?: string | undefined;
  stack?: StubStack;
} = {}) {
  const store = keyValueStore(edge);
  const secret = secretsManager(signers);
  const aws = await startAws(cloudFormation({ Edgepress: stack }), store, secret);
  return {
    aws,
    store,
    secret,
    /** Runs a command to its end in this process. */
    run: (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
      runCommandInProcess(args, { ...aws.env, ...env }),
  };
}
