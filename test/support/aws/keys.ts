import '../setup/localhost-names.mjs';
import { vi } from 'vitest';
import { withPlaces } from '../../../scripts/keys/open-places.ts';
import type { KeyPlaces } from '../../../scripts/keys/places.ts';
import { revokeKey } from '../../../scripts/keys/revoke-key.ts';
import { rotateKeys } from '../../../scripts/keys/rotate-keys.ts';
import { setUpStack } from './stack.ts';

const settle = async () => {};

/** Four keys as they are kept. */
export const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((id) => `${id}:${id.repeat(64)}`) as [
  string,
  string,
  string,
  string,
];

export const NEW_ID = /^k\d{8}-[0-9a-f]{6}$/;

export function list(...keys: string[]): string {
  return keys.join(',');
}

export function idsOf(keys = ''): string[] {
  return keys.split(',').map((key) => key.slice(0, key.indexOf(':')));
}

export function isWrite(operation: string): boolean {
  return /^(Put|Update)/.test(operation);
}

/** A deployed stack with these keys, and what the commands do with them, in this process: a start costs as much as all the rest. */
export async function setUpKeys(how: { edge?: string | undefined; signers?: string | undefined } = {}) {
  const stack = await setUpStack(how);
  for (const [name, value] of Object.entries(stack.aws.env)) vi.stubEnv(name, value);
  const use = <T>(work: (places: KeyPlaces) => Promise<T>) => withPlaces('Edgepress', () => {}, work);
  return {
    ...stack,
    use,
    rotate: () => use((places) => rotateKeys(places, { keep: 2, settle, say: () => {} })),
    revoke: (id: string) => use((places) => revokeKey(places, id, settle)),
  };
}
