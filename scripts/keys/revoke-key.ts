import { CommandFailure } from '../command/command-failure.ts';
import { hasId, union, without } from './key-list.ts';
import { changeEdge, changeSigners, type Found, goOn, type KeyPlaces, settleEdge } from './places.ts';

/** What a revocation came to. */
export interface Revocation {
  /** What signs from now on, where that was the revoked one. */
  signs: string | undefined;
}

/**
 * Makes a key invalid: first the signers lose it, then the edge. Wherever it stops, what signers sign with is valid, and doing it
 * again goes on from there.
 *
 * @param settle - ends when every edge location has had time to learn what it did not know
 * @throws CommandFailure when nobody has it, when it is the only one, or when somebody else changes the keys at the same time
 */
export async function revokeKey(
  places: KeyPlaces,
  id: string,
  settle: () => Promise<void>,
): Promise<Revocation> {
  // What signers are left with must be known at the edge. It is, unless somebody has changed the keys by hand.
  const { before, edge } = await changeEdge(places, (found) => {
    requireAnother(found, id);
    return union(found.edge, without(found.signers, [id]));
  });
  if (edge.length > before.edge.length) {
    await places.edge.confirm(edge);
    await settle();
  }
  const next = without(before.signers, [id]);
  const isWithSigners = next.length < before.signers.length;
  const version = isWithSigners ? await changeSigners(places, next, before) : before.version;
  await goOn(async () => {
    if (await settleEdge(places, version, [id])) return;
    throw new CommandFailure('Somebody else has changed the signing keys meanwhile.');
  });
  return { signs: before.signers[0]?.id === id ? next[0]?.id : undefined };
}

function requireAnother({ edge, signers }: Found, id: string): void {
  if (!hasId(edge, id) && !hasId(signers, id))
    throw new CommandFailure(`There is no key ${id}, neither at the edge nor with the signers.`);
  const isOnly = without(hasId(signers, id) ? signers : edge, [id]).length === 0;
  if (isOnly)
    throw new CommandFailure(
      `${id} is the only key: without it no URL would be valid. Make another one first (keys -- rotate).`,
    );
}
