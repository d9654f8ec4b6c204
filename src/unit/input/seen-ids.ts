import { hash } from 'node:crypto';

/** The ids that an input has had, of the first million. */
export interface SeenIds {
  /** Adds an id. Returns whether it was there before. */
  add(id: string): boolean;
}

const MAX_IDS = 1_000_000;
const FIRST_SLOTS = 256;
/** Half of the slots at most are taken. */
const SLOTS_PER_ID = 2;
/** Of a hash: that two of a million ids have the same one has a chance of one in 500. */
const HASH_BYTES = 6;

/**
 * Returns a set of ids by their hashes, in an open-addressed table: 16 MB for a million ids. A `Set` of the ids takes ten times as much.
 */
export function createSeenIds(): SeenIds {
  let slots = new Float64Array(FIRST_SLOTS);
  let count = 0;
  function slotOf(key: number): number {
    let slot = key % slots.length;
    while (slots[slot] !== 0 && slots[slot] !== key) slot = (slot + 1) % slots.length;
    return slot;
  }
  function grow(): void {
    const before = slots;
    slots = new Float64Array(2 * before.length);
    for (const key of before) if (key !== 0) slots[slotOf(key)] = key;
  }
  return {
    add(id) {
      const key = hash('sha1', id, 'buffer').readUIntBE(0, HASH_BYTES) || 1;
      const slot = slotOf(key);
      if (slots[slot] === key) return true;
      if (count === MAX_IDS) return false;
      slots[slot] = key;
      if (++count * SLOTS_PER_ID > slots.length) grow();
      return false;
    },
  };
}
