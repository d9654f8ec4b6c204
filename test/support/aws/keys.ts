import { vi } from 'vitest';
import { type KeyStores, withKeyStores } from '../../../scripts/keys/key-stores.ts';
import { revokeKey } from '../../../scripts/keys/revoke-key.ts';
import { rotateKeys } from '../../../scripts/keys/rotate-keys.ts';
import { setUpStack } from './stack.ts';

const waitForEdge = async () => {};

/** Four keys in their stored form. */
export const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((id) => `${id}:${id.repeat(64)}`) as [
  string,
  string,
  string,
  string,
];

export const NEW_ID = /^k\d{8}-[0-9a-f]{6}$/;

/** The stored form of a list of keys. */
export function list(...keys: string[]): string {
  return keys.join(',');
}

export function idsOf(keys = ''): string[] {
  return keys.split(',').map((key) => key.slice(0, key.indexOf(':')));
}

export function isWrite(operation: string): boolean {
  return /^(Put|Update)/.test(operation);
}

/** Starts AWS with a deployed stack and these keys. Returns what the commands do with them, without the command line. */
export async function setUpKeys(keys: { edge?: string | undefined; signers?: string | undefined } = {}) {
  const stack = await setUpStack(keys);
  for (const [name, value] of Object.entries(stack.aws.env)) vi.stubEnv(name, value);
  const use = <T>(work: (stores: KeyStores) => Promise<T>) => withKeyStores('Edgepress', () => {}, work);
  return {
    ...stack,
    use,
    rotate: () => use((stores) => rotateKeys(stores, { keep: 2, waitForEdge, onMessage: () => {} })),
    revoke: (id: string) => use((stores) => revokeKey(stores, id, waitForEdge)),
  };
}
