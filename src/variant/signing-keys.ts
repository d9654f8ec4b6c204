import type { SigningKey } from './signature.ts';

const KEY = /^([A-Za-z0-9_-]{1,64}):((?:[0-9A-Fa-f]{2}){16,})$/;

/** Reads `id:hex`; `undefined` for what is no key. */
export function readSigningKey(text: string): SigningKey | undefined {
  const match = KEY.exec(text.trim());
  return match ? { id: String(match[1]), hex: String(match[2]).toLowerCase() } : undefined;
}

/**
 * Reads `id:hex,id:hex`, and passes over what is no key: at the edge, where nobody would read a complaint, a damaged one is no
 * reason to refuse what is signed with another.
 */
export function readSigningKeys(text: string): readonly SigningKey[] {
  const keys: SigningKey[] = [];
  const items = text.split(',');
  for (let i = 0; i < items.length; i++) {
    const key = readSigningKey(String(items[i]));
    if (key !== undefined) keys.push(key);
  }
  return keys;
}
