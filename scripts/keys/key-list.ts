import { createHash, randomBytes } from 'node:crypto';
import { signingKeys } from '../../src/config-values.ts';
import type { SigningKey } from '../../src/protocol/signature.ts';
import { CommandFailure, messageOf } from '../cli/command.ts';

/** The limit of a value in a CloudFront KeyValueStore, in bytes. */
export const MAX_LIST_BYTES = 1024;

const KEY_BYTES = 32;

/**
 * Parses a stored list of keys: `id:hex,id:hex`, the first of which signs.
 *
 * @param source - where it is stored, as the beginning of a sentence
 * @returns no keys for an empty list
 * @throws CommandFailure, whose message never contains a key
 */
export function readKeyList(text: string | undefined, source: string): readonly SigningKey[] {
  if (text === undefined || text.trim() === '') return [];
  try {
    return signingKeys.parse(text.trim());
  } catch (error) {
    throw new CommandFailure(
      `${source} does not contain signing keys: ${messageOf(error)}. Fix it by hand: it must be id:hex,id:hex.`,
    );
  }
}

/** The reverse of {@link readKeyList}. */
export function writeKeyList(keys: readonly SigningKey[]): string {
  return keys.map(({ id, hex }) => `${id}:${hex}`).join(',');
}

/** Identifies a key without revealing it: the first 16 hex digits of the SHA-256 of its bytes. */
export function fingerprint({ hex }: SigningKey): string {
  return createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex').slice(0, 16);
}

/** Generates a key with an id that none of the others has: `k`, the date, and six random hex digits. */
export function generateKey(others: readonly SigningKey[], now = new Date()): SigningKey {
  const day = now.toISOString().slice(0, 10).replaceAll('-', '');
  for (;;) {
    const id = `k${day}-${randomBytes(3).toString('hex')}`;
    if (!hasId(others, id)) return { id, hex: randomBytes(KEY_BYTES).toString('hex') };
  }
}

export function hasId(keys: readonly SigningKey[], id: string): boolean {
  return keys.some((key) => key.id === id);
}

/** Whether a key with the same id and the same bytes is in the list. */
export function hasKey(keys: readonly SigningKey[], { id, hex }: SigningKey): boolean {
  return keys.some((key) => key.id === id && key.hex === hex);
}

/** The keys whose ids are not in `ids`. */
export function without(keys: readonly SigningKey[], ids: readonly string[]): readonly SigningKey[] {
  return keys.filter(({ id }) => !ids.includes(id));
}

/** All keys of both lists, in the order of the first. Where both have an id with different bytes, the second list wins. */
export function union(keys: readonly SigningKey[], winning: readonly SigningKey[]): readonly SigningKey[] {
  const corrected = keys.map((key) => winning.find(({ id }) => id === key.id) ?? key);
  return [...corrected, ...winning.filter(({ id }) => !hasId(keys, id))];
}

export function idsOf(keys: readonly SigningKey[]): string[] {
  return keys.map(({ id }) => id);
}
