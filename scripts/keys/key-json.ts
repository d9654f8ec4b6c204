import { fingerprint, hasKey } from './key-list.ts';
import type { KeySnapshot } from './key-stores.ts';

/** A key without its secret, and where it is. */
export interface DescribedKey {
  id: string;
  fingerprint: string;
  /** Whether signers use it for new URLs. */
  signs: boolean;
  /** Whether the edge accepts it. */
  atEdge: boolean;
  /** Whether signers have it. */
  atSigners: boolean;
}

/** Returns the keys of a stack for `keys list --json`: those of the signers in their order, then what only the edge has. */
export function describeKeys({ edge, signers }: KeySnapshot): DescribedKey[] {
  const all = [...signers, ...edge.filter((key) => !hasKey(signers, key))];
  return all.map((key) => ({
    id: key.id,
    fingerprint: fingerprint(key),
    signs: key === signers[0],
    atEdge: hasKey(edge, key),
    atSigners: hasKey(signers, key),
  }));
}
