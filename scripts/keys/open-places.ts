import { readDeployedStack } from '../aws/stack.ts';
import { openEdgeKeys } from './edge-keys.ts';
import type { KeyPlaces } from './places.ts';
import { openSignerKeys } from './signer-keys.ts';

/**
 * Does something with the signing keys of a deployed stack.
 *
 * @throws CommandFailure when there is no such stack
 */
export async function withPlaces<T>(
  stackName: string,
  say: (text: string) => void,
  use: (places: KeyPlaces) => Promise<T>,
): Promise<T> {
  const stack = await readDeployedStack(stackName, say);
  const edge = openEdgeKeys(stack.keyValueStoreArn);
  const signers = openSignerKeys(stack.signingKeysSecretArn);
  try {
    return await use({ edge, signers });
  } finally {
    edge.close();
    signers.close();
  }
}
