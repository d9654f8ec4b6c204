// A file of its own because it is loaded only when a command runs: see keys.ts.
import { countDown, printMessage } from '../cli/output.ts';
import { describeKeys } from './key-json.ts';
import { readKeyStores, withKeyStores } from './key-stores.ts';
import { formatKeys, formatRevocation, formatRotation } from './key-text.ts';
import { revokeKey } from './revoke-key.ts';
import { rotateKeys } from './rotate-keys.ts';

interface JsonOption {
  json?: true;
}

/** Prints the text, or with `--json` the object. */
function print({ json }: JsonOption, text: string, object: object): void {
  process.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
}

/** `keys list` */
export async function list(stack: string, options: JsonOption): Promise<void> {
  const snapshot = await withKeyStores(stack, printMessage, readKeyStores);
  const { text, isInSync } = formatKeys(stack, snapshot);
  print(options, text, { stack, isInSync, keys: describeKeys(snapshot) });
  if (!isInSync) process.exitCode = 2;
}

/** `keys rotate` */
export async function rotate(
  stack: string,
  { keep, settle, ...options }: JsonOption & { keep: number; settle: number },
): Promise<void> {
  const rotation = await withKeyStores(stack, printMessage, (stores) =>
    rotateKeys(stores, { keep, onMessage: printMessage, waitForEdge: () => waitForEdge(settle) }),
  );
  print(options, formatRotation(stack, rotation), { stack, ...rotation });
}

/** `keys revoke` */
export async function revoke(
  stack: string,
  id: string,
  { settle, ...options }: JsonOption & { settle: number },
): Promise<void> {
  const revocation = await withKeyStores(stack, printMessage, (stores) =>
    revokeKey(stores, id, () => waitForEdge(settle)),
  );
  print(options, formatRevocation(stack, id, revocation), { stack, revoked: id, ...revocation });
}

async function waitForEdge(seconds: number): Promise<void> {
  await countDown(seconds, 'Waiting for all edge locations');
}
