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

/** A Huffman table in hexadecimal digits: the number of codes of each length from 1 to 16, and the symbols in the order of their codes. */
interface HuffmanTable {
  /** Class and destination: 0 and 1 for DC, 0x10 and 0x11 for AC; 0 is luminance, 1 chrominance. */
  destination: number;
  counts: string;
  symbols: string;
}

/** The typical tables of ITU-T T.81, annex K.3, which frames of Motion JPEG leave out. */
const STANDARD_TABLES: readonly HuffmanTable[] = [
  {
    destination: 0x00,
    counts: '00010501010101010100000000000000',
    symbols: '000102030405060708090a0b',
  },
  {
    destination: 0x01,
    counts: '00030101010101010101010000000000',
    symbols: '000102030405060708090a0b',
  },
  {
    destination: 0x10,
    counts: '0002010303020403050504040000017d',
    symbols:
      '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a34353637' +
      '38393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3' +
      'a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
  },
  {
    destination: 0x11,
    counts: '00020102040403040705040400010277',
    symbols:
      '000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a3536' +
      '3738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999a' +
      'a2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa',
  },
];

/** Returns the standard Huffman tables as one DHT segment (ITU-T T.81, B.2.4.2). */
export function standardHuffmanTables(): Buffer {
  const tables = STANDARD_TABLES.map(({ destination, counts, symbols }) =>
    Buffer.concat([Buffer.from([destination]), Buffer.from(counts + symbols, 'hex')]),
  );
  const length = 2 + tables.reduce((sum, table) => sum + table.length, 0);
  return Buffer.concat([Buffer.from([0xff, 0xc4, length >> 8, length & 255]), ...tables]);
}
