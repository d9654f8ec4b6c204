/** For each 16 bits, the code that they begin with: its length in the high byte, its symbol in the low one; 0 if there is no such code. */
export type HuffmanLookup = Uint16Array;

/**
 * Builds the lookup of a Huffman table (ITU-T T.81, annex C).
 *
 * @param counts - the number of codes of each length from 1 to 16
 * @param symbols - in the order of their codes
 * @returns `undefined` if the table has more codes than there can be
 */
export function buildHuffmanLookup(counts: Uint8Array, symbols: Uint8Array): HuffmanLookup | undefined {
  const lookup = new Uint16Array(65_536);
  let [at, index] = [0, 0];
  for (let length = 1; length <= 16; length++) {
    const span = 1 << (16 - length);
    for (let count = counts[length - 1] ?? 0; count > 0; count--) {
      const symbol = symbols[index++];
      if (symbol === undefined || at + span > lookup.length) return undefined;
      lookup.fill((length << 8) | symbol, at, at + span);
      at += span;
    }
  }
  return lookup;
}
