import type { SigningKey } from '../../src/protocol/signature.ts';
import { hasKey, idsOf, makeKey, union, without } from './key-list.ts';
import {
  changeEdge,
  changeSigners,
  type Found,
  goOn,
  type KeyPlaces,
  readPlaces,
  settleEdge,
} from './places.ts';

export interface RotateOptions {
  /** How many of the old keys stay valid. */
  keep: number;
  /** Ends when every edge location has had time to learn a new key. */
  settle: () => Promise<void>;
  say: (text: string) => void;
}

/** What a rotation came to. */
export interface Rotation {
  /** What signs now. */
  signs: string;
  /** Whether it is new: else an earlier rotation was brought to its end. */
  isNew: boolean;
  /** Those that stay valid. */
  valid: readonly string[];
  /** Those that are not valid any more. */
  removed: readonly string[];
  /** Whether the edge was left as it has to be. */
  isSettled: boolean;
}

/**
 * Makes a new key sign: first the edge learns it beside all others, then it becomes the signers' first one, then the edge forgets
 * what is too old. Wherever it stops, what signers sign with is valid, and doing it again goes on from there.
 *
 * @throws CommandFailure when somebody else changes the keys at the same time, or there is no room
 */
export async function rotateKeys(places: KeyPlaces, options: RotateOptions): Promise<Rotation> {
  const found = await readPlaces(places);
  if (isHalfDone(found)) return await finish(places, found);
  let fresh = makeKey([]);
  const { before, edge } = await changeEdge(places, (now) => {
    const known = union(now.edge, now.signers);
    fresh = makeKey(known);
    return [...known, fresh];
  });
  options.say(`The edge is told of ${fresh.id}.`);
  return await goOn(async () => {
    await places.edge.confirm(edge);
    await options.settle();
    return await makeSign(places, fresh, before, options);
  });
}

/** The second half: the edge knows the key. */
async function makeSign(
  places: KeyPlaces,
  fresh: SigningKey,
  before: Found,
  { keep, say }: RotateOptions,
): Promise<Rotation> {
  // Where signers have none yet, those at the edge were put there by hand, or by a first rotation that stopped: they count as old.
  const old = before.signers.length > 0 ? before.signers : before.edge;
  const next = [fresh, ...old.slice(0, keep)];
  const version = await changeSigners(places, next, before);
  say(`Signers are given ${fresh.id}.`);
  const removed = idsOf(without(union(before.edge, before.signers), idsOf(next)));
  const isSettled = await settleEdge(places, version, removed);
  return { signs: fresh.id, isNew: true, valid: idsOf(next.slice(1)), removed, isSettled };
}

/** Whether a rotation stopped when the signers had its key: that is still the last one at the edge. */
function isHalfDone({ edge, signers }: Found): boolean {
  const [signs] = signers;
  if (!signs || edge.length < 2) return false;
  return hasKey(edge.slice(-1), signs) && signers.every((key) => hasKey(edge, key));
}

async function finish(places: KeyPlaces, { edge, signers, version }: Found): Promise<Rotation> {
  const removed = idsOf(without(edge, idsOf(signers)));
  const isSettled = await settleEdge(places, version, removed);
  const [signs = '', ...valid] = idsOf(signers);
  return { signs, isNew: false, valid, removed, isSettled };
}
