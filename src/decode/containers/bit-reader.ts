/** Returns the next bits of a bitstream as an unsigned number, the highest first. Beyond the end they are `NaN`. */
export type ReadBits = (count: number) => number;

/** Returns a reader of the bits of a bitstream, from its start. */
export function bitReader(bytes: Uint8Array): ReadBits {
  let at = 0;
  return (count) => {
    let value = 0;
    for (const end = at + count; at < end; at++) {
      const byte = bytes[at >> 3] ?? Number.NaN;
      value = Number.isNaN(byte) ? byte : value * 2 + ((byte >> (7 - (at & 7))) & 1);
    }
    return value;
  };
}
