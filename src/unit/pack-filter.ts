import type { Sha256 } from '../protocol/keys.ts';

// A Bloom filter (B. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970) of the units in a pack, small enough for the
// metadata of an object: so whoever looks for a unit reads the packs that may have it, and not all of them.

/** With 12 bits and 6 hashes a unit, one pack in 240 is read in vain. */
const BITS_PER_UNIT = 12;
const HASHES = 6;
const HEX_DIGITS_PER_HASH = 8;

/** Returns the filter of these units in base64: 2 characters a unit. */
export function encodeFilter(units: readonly string[], sha256: Sha256): string {
  const filter = new Uint8Array(Math.ceil((units.length * BITS_PER_UNIT) / 8));
  for (const unit of units) {
    for (const bit of bitsOf(sha256(unit), filter))
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  return Buffer.from(filter).toString('base64');
}

/** Returns a filter that `encodeFilter` made; `undefined` if there is none, so that any unit may be in the pack. */
export function decodeFilter(text: string | undefined): Uint8Array | undefined {
  return text === undefined || text === '' ? undefined : Buffer.from(text, 'base64');
}

/**
 * Returns whether a pack may have a unit. If not, it has not.
 *
 * @param unitHash - SHA-256 of the unit in hex
 */
export function mayHave(filter: Uint8Array | undefined, unitHash: string): boolean {
  if (filter === undefined) return true;
  return bitsOf(unitHash, filter).every((bit) => ((filter[bit >> 3] ?? 0) >> (bit & 7)) & 1);
}

function bitsOf(unitHash: string, filter: Uint8Array): number[] {
  return Array.from({ length: HASHES }, (_, index) => {
    const start = index * HEX_DIGITS_PER_HASH;
    return Number.parseInt(unitHash.slice(start, start + HEX_DIGITS_PER_HASH), 16) % (filter.length * 8);
  });
}
