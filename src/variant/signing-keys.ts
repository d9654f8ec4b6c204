import type { SigningKey } from './signature.ts';

const KEY = /^([A-Za-z0-9_-]{1,64}):((?:[0-9A-Fa-f]{2})+)$/;
const MIN_HEX_DIGITS = 32;

/**
 * Reads `id:hex,id:hex`: what `SIGNING_KEYS` says, and what the edge finds. Faults never repeat a secret.
 *
 * @throws Error that says what is wrong, as the end of a sentence
 */
export function parseSigningKeys(text: string): readonly SigningKey[] {
  const keys: SigningKey[] = [];
  const items = text.split(',');
  for (let i = 0; i < items.length; i++) {
    const key = parseSigningKey(String(items[i]).trim(), i + 1);
    if (keys.some((other) => other.id === key.id))
      throw new Error(`the id "${key.id}" stands there more than once`);
    keys.push(key);
  }
  return keys;
}

function parseSigningKey(item: string, number: number): SigningKey {
  if (item === '') throw new Error('has an empty entry: leave it out, or leave the variable unset');
  const match = KEY.exec(item);
  if (!match) {
    throw new Error(
      `key ${number} must be id:hex, where id is 1 to 64 of A-Z a-z 0-9 _ - and hex whole bytes`,
    );
  }
  const id = String(match[1]);
  const hex = String(match[2]);
  if (hex.length < MIN_HEX_DIGITS)
    throw new Error(`the key "${id}" is too short: at least 16 bytes (32 hex digits)`);
  return { id, hex: hex.toLowerCase() };
}
