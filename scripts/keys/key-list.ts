import { createHash, randomBytes } from 'node:crypto';
import { signingKeys } from '../../src/config-values.ts';
import type { SigningKey } from '../../src/protocol/signature.ts';
import { CommandFailure } from '../cli/command.ts';

/** The most that the value of an item of a CloudFront KeyValueStore may have. */
export const MAX_BYTES = 1024;

const KEY_BYTES = 32;

/**
 * Reads keys as they are kept: `id:hex,id:hex`, the first of which signs.
 *
 * @param place - where they were found, as a sentence begins
 * @returns none where nothing is said
 * @throws CommandFailure that never repeats a key
 */
export function readKeyList(text: string | undefined, place: string): readonly SigningKey[] {
  if (text === undefined || text.trim() === '') return [];
  try {
    return signingKeys.parse(text.trim());
  } catch (error) {
    throw new CommandFailure(
      `${place} does not hold signing keys: ${(error as Error).message}. Mend it by hand: it must be id:hex,id:hex.`,
    );
  }
}

/** The reverse of {@link readKeyList}. */
export function writeKeyList(keys: readonly SigningKey[]): string {
  return keys.map(({ id, hex }) => `${id}:${hex}`).join(',');
}

/** Tells keys apart without giving them away: the first 16 hex digits of SHA-256 of a key's bytes. */
export function fingerprint({ hex }: SigningKey): string {
  return createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex').slice(0, 16);
}

/** Makes a key whose id none of these has: `k`, the day, and what makes it the only one. */
export function makeKey(others: readonly SigningKey[], now = new Date()): SigningKey {
  const day = now.toISOString().slice(0, 10).replaceAll('-', '');
  for (;;) {
    const id = `k${day}-${randomBytes(3).toString('hex')}`;
    if (!hasId(others, id)) return { id, hex: randomBytes(KEY_BYTES).toString('hex') };
  }
}

export function hasId(keys: readonly SigningKey[], id: string): boolean {
  return keys.some((key) => key.id === id);
}

/** Whether the very same key is among these. */
export function hasKey(keys: readonly SigningKey[], { id, hex }: SigningKey): boolean {
  return keys.some((key) => key.id === id && key.hex === hex);
}

/** Those without the ones that are named. */
export function without(keys: readonly SigningKey[], ids: readonly string[]): readonly SigningKey[] {
  return keys.filter(({ id }) => !ids.includes(id));
}

/** All of both, in the order of the first list; where one id means two keys, the second list is right. */
export function union(keys: readonly SigningKey[], right: readonly SigningKey[]): readonly SigningKey[] {
  const mended = keys.map((key) => right.find(({ id }) => id === key.id) ?? key);
  return [...mended, ...right.filter(({ id }) => !hasId(keys, id))];
}

export function idsOf(keys: readonly SigningKey[]): string[] {
  return keys.map(({ id }) => id);
}
