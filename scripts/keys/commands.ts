// A file of its own because it is loaded only when a command runs: see keys.ts.
import { countDown, printMessage } from '../cli/output.ts';
import { readKeyStores, withKeyStores } from './key-stores.ts';
import { formatKeys, formatRevocation, formatRotation } from './key-text.ts';
import { revokeKey } from './revoke-key.ts';
import { rotateKeys } from './rotate-keys.ts';

const print = (text: string) => void process.stdout.write(`${text}\n`);

/** `keys list` */
export async function list(stack: string): Promise<void> {
  const { text, isInSync } = formatKeys(stack, await withKeyStores(stack, printMessage, readKeyStores));
  print(text);
  if (!isInSync) process.exitCode = 2;
}

/** `keys rotate` */
export async function rotate(
  stack: string,
  { keep, settle }: { keep: number; settle: number },
): Promise<void> {
  const rotation = await withKeyStores(stack, printMessage, (stores) =>
    rotateKeys(stores, { keep, onMessage: printMessage, waitForEdge: () => waitForEdge(settle) }),
  );
  print(formatRotation(stack, rotation));
}

/** `keys revoke` */
export async function revoke(stack: string, id: string, { settle }: { settle: number }): Promise<void> {
  const revocation = await withKeyStores(stack, printMessage, (stores) =>
    revokeKey(stores, id, () => waitForEdge(settle)),
  );
  print(formatRevocation(stack, id, revocation));
}

async function waitForEdge(seconds: number): Promise<void> {
  await countDown(seconds, 'Waiting for all edge locations');
}
