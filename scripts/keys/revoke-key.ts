import { CommandFailure } from '../cli/command.ts';
import { hasId, union, without } from './key-list.ts';
import {
  type KeySnapshot,
  type KeyStores,
  syncEdge,
  updateEdge,
  updateSigners,
  withResumeHint,
} from './key-stores.ts';

/** The result of a revocation. */
export interface Revocation {
  /** The id of the key that signs from now on; `undefined` when the revoked key was not the one that signed. */
  signs: string | undefined;
}

/**
 * Makes a key invalid: removes it from the signers first, and then from the edge. Wherever it stops, the signers' keys are valid,
 * and another run continues from there.
 *
 * @param waitForEdge - resolves when every edge location has had time to get the current keys
 * @throws CommandFailure when there is no such key, when it is the only one, or when somebody else changes the keys meanwhile
 */
export async function revokeKey(
  stores: KeyStores,
  id: string,
  waitForEdge: () => Promise<void>,
): Promise<Revocation> {
  // The signers' other keys must be at the edge. They are, unless somebody has changed the keys by hand.
  const { before, edge } = await updateEdge(stores, (snapshot) => {
    requireAnother(snapshot, id);
    return union(snapshot.edge, without(snapshot.signers, [id]));
  });
  if (edge.length > before.edge.length) {
    await stores.edge.confirm(edge);
    await waitForEdge();
  }
  const next = without(before.signers, [id]);
  const isWithSigners = next.length < before.signers.length;
  const version = isWithSigners ? await updateSigners(stores, next, before) : before.version;
  await withResumeHint(async () => {
    if (await syncEdge(stores, version, [id])) return;
    throw new CommandFailure('Somebody else has changed the signing keys in the meantime.');
  });
  return { signs: before.signers[0]?.id === id ? next[0]?.id : undefined };
}

function requireAnother({ edge, signers }: KeySnapshot, id: string): void {
  if (!hasId(edge, id) && !hasId(signers, id))
    throw new CommandFailure(`There is no key ${id}: neither the edge nor the signers have it.`);
  const isOnly = without(hasId(signers, id) ? signers : edge, [id]).length === 0;
  if (isOnly)
    throw new CommandFailure(
      `${id} is the only key: without it no URL would be valid. Create another one first (keys -- rotate).`,
    );
}
