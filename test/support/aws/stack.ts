import type { Ended } from '../command.ts';
import { runProgram } from '../setup/program.ts';
import { startAws } from './aws.ts';
import { cloudFormation, type StubStack } from './cloudformation.ts';
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

/** A stack named Edgepress, deployed or otherwise, with these keys at the edge and with the signers, and the commands on it. */
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
    /** Runs a command to its end. */
    async run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
      const program = runProgram('scripts/edgepress.ts', args, { ...aws.env, ...env });
      return { status: await program.ended, ...program.output };
    },
  };
}
