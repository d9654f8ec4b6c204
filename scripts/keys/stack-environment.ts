import { readDeployedStack } from '../aws/stack.ts';
import { writeKeyList } from './key-list.ts';
import { openSignerKeys } from './signer-keys.ts';

/**
 * Reads what the other commands need to work on a deployed stack.
 *
 * @param options - `keys`: with `SIGNING_KEYS`, from the secret; where that is still empty, `say` is told what to do
 * @throws CommandFailure when there is no such stack, or it is not ours to read
 */
export async function readEnvironmentOf(
  stackName: string,
  { keys, say }: { keys: boolean; say: (text: string) => void },
): Promise<Readonly<Record<string, string>>> {
  const { environment, signingKeysSecretArn } = await readDeployedStack(stackName, say);
  if (!keys) return environment;
  const signers = openSignerKeys(signingKeysSecretArn);
  try {
    const found = await signers.read();
    if (found.keys.length > 0) return { ...environment, SIGNING_KEYS: writeKeyList(found.keys) };
    say(`${stackName} has no signing keys yet. Make one: npm run keys -- rotate ${stackName}`);
    return environment;
  } finally {
    signers.close();
  }
}
