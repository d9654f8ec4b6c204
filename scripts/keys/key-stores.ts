import { setTimeout as sleep } from 'node:timers/promises';
import type { SigningKey } from '../../src/protocol/signature.ts';
import { CommandFailure } from '../cli/command.ts';
import { readDeployedStack } from '../cli/stack.ts';
import { type EdgeKeys, openEdgeKeys } from './edge-keys.ts';
import { hasId, hasKey, MAX_LIST_BYTES, without, writeKeyList } from './key-list.ts';
import { openSignerKeys, type SignerKeys } from './signer-keys.ts';

/*
 * The invariant: every key that a signer may sign with is valid at the edge. So a new key is added to the edge first and to the
 * signers second, and a key is removed in the opposite order. Every write is conditional on what was read before, so that of two
 * people who change the keys at the same time one stops.
 */

/** The two stores of the signing keys. */
export interface KeyStores {
  edge: EdgeKeys;
  signers: SignerKeys;
}

/** The contents of both stores, with their versions for conditional writes. */
export interface KeySnapshot {
  edge: readonly SigningKey[];
  etag: string;
  signers: readonly SigningKey[];
  version: string | undefined;
}

const MAX_ATTEMPTS = 5;
const FIRST_RETRY_MS = 200;

/**
 * Opens the key stores of a deployed stack, and closes them when `use` has ended.
 *
 * @param onMessage - called with a warning when the stack may be out of date
 * @throws CommandFailure when there is no such stack
 */
export async function withKeyStores<T>(
  stackName: string,
  onMessage: (text: string) => void,
  use: (stores: KeyStores) => Promise<T>,
): Promise<T> {
  const stack = await readDeployedStack(stackName, onMessage);
  const edge = openEdgeKeys(stack.keyValueStoreArn);
  const signers = openSignerKeys(stack.signingKeysSecretArn);
  try {
    return await use({ edge, signers });
  } finally {
    edge.close();
    signers.close();
  }
}

/**
 * Reads both stores, the edge first: a conditional write to the edge with this ETag then succeeds only when the signers' keys were
 * read after the last change of the edge.
 */
export async function readKeyStores({ edge, signers }: KeyStores): Promise<KeySnapshot> {
  const { keys, etag } = await edge.read();
  const { keys: signerKeys, version } = await signers.read();
  return { edge: keys, etag, signers: signerKeys, version };
}

/**
 * Changes the keys at the edge. When somebody else changes them at the same time, it reads again and tries again.
 *
 * @param change - returns the new keys, or throws when the snapshot does not allow the change
 * @returns the snapshot from which the change was made, and the keys that the edge has now
 * @throws CommandFailure when it was overtaken too often, or the keys do not fit into the store
 */
export async function updateEdge(
  stores: KeyStores,
  change: (snapshot: KeySnapshot) => readonly SigningKey[],
): Promise<{ before: KeySnapshot; edge: readonly SigningKey[] }> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const before = await readKeyStores(stores);
    const edge = change(before);
    if (writeKeyList(edge) === writeKeyList(before.edge)) return { before, edge };
    requireRoom(edge);
    if (await stores.edge.write(edge, before.etag)) return { before, edge };
    await sleep(FIRST_RETRY_MS * 2 ** attempt);
  }
  throw new CommandFailure('Somebody else keeps changing the keys at the edge. Run this again later.');
}

/**
 * Replaces the signers' keys.
 *
 * @returns the new version
 * @throws CommandFailure when somebody else has changed them since the snapshot
 */
export async function updateSigners(
  { signers }: KeyStores,
  keys: readonly SigningKey[],
  { version }: KeySnapshot,
): Promise<string> {
  const written = await signers.write(keys, version);
  if (written === undefined)
    throw new CommandFailure(
      'Somebody else has changed the signing keys in the meantime: the signers have those.',
    );
  return written;
}

/**
 * Gives the edge the signers' keys, in their order, and removes the keys that are no longer valid. Keys that somebody else has added
 * to the edge meanwhile stay.
 *
 * @param version - of the signers' keys, as last read or written
 * @param removed - the ids of the keys to remove
 * @returns `false` when somebody else has changed the signers' keys since that version: the rest is then theirs to do
 */
export async function syncEdge(
  stores: KeyStores,
  version: string | undefined,
  removed: readonly string[],
): Promise<boolean> {
  let isCurrent = true;
  await updateEdge(stores, (snapshot) => {
    isCurrent = snapshot.version === version;
    if (!isCurrent) return snapshot.edge;
    const others = snapshot.edge.filter(({ id }) => !hasId(snapshot.signers, id));
    return [...snapshot.signers, ...without(others, removed)];
  });
  return isCurrent;
}

/**
 * Runs the steps after the first change, and adds to a failure that it is safe and how to continue.
 *
 * @throws CommandFailure
 */
export async function withResumeHint<T>(steps: () => Promise<T>): Promise<T> {
  try {
    return await steps();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(
      `${error.message}\nIt has stopped half-way. No URL is affected. Run this again to continue from there.`,
    );
  }
}

/** Whether edge and signers have the same keys. */
export function areInSync(edge: readonly SigningKey[], signers: readonly SigningKey[]): boolean {
  return edge.length === signers.length && signers.every((key) => hasKey(edge, key));
}

function requireRoom(keys: readonly SigningKey[]): void {
  const bytes = Buffer.byteLength(writeKeyList(keys));
  if (bytes <= MAX_LIST_BYTES) return;
  throw new CommandFailure(
    `There is no room for ${keys.length} keys at the edge: they take ${bytes} bytes, and a CloudFront KeyValueStore has room for ${MAX_LIST_BYTES}.` +
      ' Revoke an old one first (keys -- revoke). Nothing was changed.',
  );
}
