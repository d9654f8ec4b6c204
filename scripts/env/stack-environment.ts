// A file of its own because it is loaded only when the command runs: see env.ts.
import { readDeployedStack } from '../cli/stack.ts';
import { writeKeyList } from '../keys/key-list.ts';
import { openSignerKeys } from '../keys/signer-keys.ts';

/**
 * Reads the environment that the other commands need to work on a deployed stack.
 *
 * @param options.keys - whether to add `SIGNING_KEYS`, from the secret
 * @param options.onMessage - called with a warning about the stack, or what to do while the secret is empty
 * @throws CommandFailure when there is no such stack, or AWS refuses access to it
 */
export async function readStackEnvironment(
  stackName: string,
  { keys, onMessage }: { keys: boolean; onMessage: (text: string) => void },
): Promise<Readonly<Record<string, string>>> {
  const { environment, signingKeysSecretArn } = await readDeployedStack(stackName, onMessage);
  if (!keys) return environment;
  const signers = openSignerKeys(signingKeysSecretArn);
  try {
    const found = await signers.read();
    if (found.keys.length > 0) return { ...environment, SIGNING_KEYS: writeKeyList(found.keys) };
    onMessage(`${stackName} has no signing keys yet. Create one: npx edgepress keys rotate ${stackName}`);
    return environment;
  } finally {
    signers.close();
  }
}
