import type { SigningKey } from '../../src/protocol/signature.ts';
import { generateKey, hasKey, idsOf, union, without } from './key-list.ts';
import {
  type KeySnapshot,
  type KeyStores,
  readKeyStores,
  syncEdge,
  updateEdge,
  updateSigners,
  withResumeHint,
} from './key-stores.ts';

export interface RotateOptions {
  /** How many of the old keys stay valid. */
  keep: number;
  /** Resolves when every edge location has had time to get a new key. */
  waitForEdge: () => Promise<void>;
  /** Called when a step is done. */
  onMessage: (text: string) => void;
}

/** The result of a rotation. */
export interface Rotation {
  /** The id of the key that signs now. */
  signs: string;
  /** Whether that key is new. If not, this run has completed an earlier rotation. */
  isNew: boolean;
  /** The ids of the keys that stay valid. */
  valid: readonly string[];
  /** The ids of the keys that are not valid any more. */
  removed: readonly string[];
  /** Whether the edge has the signers' keys now. If not, somebody else has changed those meanwhile. */
  isEdgeInSync: boolean;
}

/**
 * Makes a new key sign: adds it to the edge, then makes it the first of the signers' keys, then removes the oldest keys from the edge.
 * Wherever it stops, the signers' keys are valid, and another run continues from there.
 *
 * @throws CommandFailure when somebody else changes the keys meanwhile, or there is no room for another key
 */
export async function rotateKeys(stores: KeyStores, options: RotateOptions): Promise<Rotation> {
  const snapshot = await readKeyStores(stores);
  if (isHalfDone(snapshot)) return await complete(stores, snapshot);
  let fresh = generateKey([]);
  const { before, edge } = await updateEdge(stores, (now) => {
    const known = union(now.edge, now.signers);
    fresh = generateKey(known);
    return [...known, fresh];
  });
  options.onMessage(`Adding ${fresh.id} at the edge.`);
  return await withResumeHint(async () => {
    await stores.edge.confirm(edge);
    await options.waitForEdge();
    return await makeItSign(stores, fresh, before, options);
  });
}

/** The second half of a rotation: the edge has the key. */
async function makeItSign(
  stores: KeyStores,
  fresh: SigningKey,
  before: KeySnapshot,
  { keep, onMessage }: RotateOptions,
): Promise<Rotation> {
  // When the signers have no keys yet, those at the edge were added by hand, or by a first rotation that stopped: they count as old.
  const old = before.signers.length > 0 ? before.signers : before.edge;
  const next = [fresh, ...old.slice(0, keep)];
  const version = await updateSigners(stores, next, before);
  onMessage(`Added ${fresh.id} to the signers.`);
  const removed = idsOf(without(union(before.edge, before.signers), idsOf(next)));
  const isEdgeInSync = await syncEdge(stores, version, removed);
  return { signs: fresh.id, isNew: true, valid: idsOf(next.slice(1)), removed, isEdgeInSync };
}

/** Whether a rotation stopped after the signers got its key: then that key is still the last one at the edge. */
function isHalfDone({ edge, signers }: KeySnapshot): boolean {
  const [signs] = signers;
  if (!signs || edge.length < 2) return false;
  return hasKey(edge.slice(-1), signs) && signers.every((key) => hasKey(edge, key));
}

async function complete(stores: KeyStores, { edge, signers, version }: KeySnapshot): Promise<Rotation> {
  const removed = idsOf(without(edge, idsOf(signers)));
  const isEdgeInSync = await syncEdge(stores, version, removed);
  const [signs = '', ...valid] = idsOf(signers);
  return { signs, isNew: false, valid, removed, isEdgeInSync };
}
