import { setTimeout as sleep } from 'node:timers/promises';
import type { SigningKey } from '../../src/protocol/signature.ts';
import { CommandFailure } from '../command/command-failure.ts';
import type { EdgeKeys } from './edge-keys.ts';
import { hasId, hasKey, MAX_BYTES, without, writeKeyList } from './key-list.ts';
import type { SignerKeys } from './signer-keys.ts';

// Whatever happens, each key that signers could sign with must be known at the edge: keys come to the edge first and to the signers
// second, and go in the opposite order. No step overwrites what somebody else has written since it was read, so that of two who
// change the keys at once, one stops.

/** The two places where the signing keys are. */
export interface KeyPlaces {
  edge: EdgeKeys;
  signers: SignerKeys;
}

/** What is in both at about the same time. */
export interface Found {
  edge: readonly SigningKey[];
  etag: string;
  signers: readonly SigningKey[];
  version: string | undefined;
}

const MAX_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;

/**
 * Reads both, the edge first: what is written to the edge with this ETag then rests on signers' keys that were still theirs when
 * nobody had touched the edge yet.
 */
export async function readPlaces({ edge, signers }: KeyPlaces): Promise<Found> {
  const { keys, etag } = await edge.read();
  const { keys: signerKeys, version } = await signers.read();
  return { edge: keys, etag, signers: signerKeys, version };
}

/**
 * Changes what the edge knows, on top of whatever others have written meanwhile.
 *
 * @param change - makes the new list out of what was found; it throws what stands against that
 * @returns what the change was made from, and what the edge knows now
 */
export async function changeEdge(
  places: KeyPlaces,
  change: (found: Found) => readonly SigningKey[],
): Promise<{ before: Found; edge: readonly SigningKey[] }> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const before = await readPlaces(places);
    const edge = change(before);
    if (writeKeyList(edge) === writeKeyList(before.edge)) return { before, edge };
    requireRoom(edge);
    if (await places.edge.write(edge, before.etag)) return { before, edge };
    await sleep(FIRST_PAUSE_MS * 2 ** attempt);
  }
  throw new CommandFailure('Somebody else changes the keys at the edge all the time. Run this again later.');
}

/**
 * Gives the signers other keys.
 *
 * @returns the version of what they have now
 * @throws CommandFailure when somebody else has changed them since they were found
 */
export async function changeSigners(
  { signers }: KeyPlaces,
  keys: readonly SigningKey[],
  { version }: Found,
): Promise<string> {
  const made = await signers.write(keys, version);
  if (made === undefined)
    throw new CommandFailure(
      'Somebody else has changed the signing keys meanwhile: the signers have theirs.',
    );
  return made;
}

/**
 * Lets the edge know what the signers have, in their order, and no more what is gone. Keys of others who are at it stay.
 *
 * @param version - of what the signers have, as far as we know
 * @param gone - ids
 * @returns `false` when somebody else has changed the signers' keys since: then the rest is theirs to do
 */
export async function settleEdge(
  places: KeyPlaces,
  version: string | undefined,
  gone: readonly string[],
): Promise<boolean> {
  let isOurs = true;
  await changeEdge(places, (found) => {
    isOurs = found.version === version;
    if (!isOurs) return found.edge;
    const rest = found.edge.filter(({ id }) => !hasId(found.signers, id));
    return [...found.signers, ...without(rest, gone)];
  });
  return isOurs;
}

/**
 * Does what comes after a first step, and says of what goes wrong with it that this is no misfortune.
 *
 * @throws CommandFailure
 */
export async function goOn<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(
      `${error.message}\nIt has stopped half-way, which harms no URL. Run this again to go on from there.`,
    );
  }
}

/** Whether edge and signers have the same keys. */
export function agree(edge: readonly SigningKey[], signers: readonly SigningKey[]): boolean {
  return edge.length === signers.length && signers.every((key) => hasKey(edge, key));
}

function requireRoom(keys: readonly SigningKey[]): void {
  const bytes = Buffer.byteLength(writeKeyList(keys));
  if (bytes <= MAX_BYTES) return;
  throw new CommandFailure(
    `There is no room for ${keys.length} keys at the edge: they take ${bytes} bytes, and a CloudFront KeyValueStore holds ${MAX_BYTES}.` +
      ' Revoke an old one first (keys -- revoke). Nothing was changed.',
  );
}
