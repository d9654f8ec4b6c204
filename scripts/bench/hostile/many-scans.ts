/** The longest run of blocks that are over that one code of 14 more bits can name (ITU-T T.81, figure G.3: EOB14). */
const MAX_RUN = 32_767;
const EOB14_LEAST = 16_384;
const LOWEST_BIT = 13;

/**
 * Returns a progressive JPEG of one component, all grey, of 883 scans: each coefficient in its own, from bit 13 down to bit 0. Each is valid,
 * and a decoder goes over all blocks for each.
 *
 * @param side - of the square, in pixels: a multiple of 8
 */
export function jpegOfManyScans(side: number): Buffer {
  const blocks = (side / 8) ** 2;
  const noCoefficients = runsOfEnds(blocks);
  const scans: Buffer[] = [scan(0, 0, 0, Buffer.alloc(Math.ceil(blocks / 8)))];
  for (let coefficient = 1; coefficient < 64; coefficient++) {
    for (let bit = LOWEST_BIT; bit >= 0; bit--)
      scans.push(scan(coefficient, bit === LOWEST_BIT ? 0 : bit + 1, bit, noCoefficients));
  }
  const frame = Buffer.from([8, side >> 8, side & 255, side >> 8, side & 255, 1, 1, 0x11, 0]);
  return Buffer.concat([
    Buffer.from('ffd8', 'hex'),
    segment(0xdb, Buffer.from([0, ...Array<number>(64).fill(16)])),
    segment(0xc2, frame),
    huffmanTable(0x00, 0x00),
    huffmanTable(0x10, 0xe0),
    ...scans,
    Buffer.from('ffd9', 'hex'),
  ]);
}

/** A JPEG segment. */
export function segment(marker: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

function scan(coefficient: number, high: number, low: number, data: Buffer): Buffer {
  const header = Buffer.from([1, 1, 0, coefficient, coefficient, (high << 4) | low]);
  return Buffer.concat([segment(0xda, header), data]);
}

/** A table with one code, of one bit. */
function huffmanTable(kind: number, symbol: number): Buffer {
  return segment(0xc4, Buffer.from([kind, 1, ...Array<number>(15).fill(0), symbol]));
}

/** The data of a scan in which no block has a coefficient. */
function runsOfEnds(blocks: number): Buffer {
  const runs = Math.ceil(blocks / MAX_RUN);
  const ends = Array.from({ length: runs + 1 }, (_, index) => Math.floor((index * blocks) / runs));
  const bits = ends
    .slice(1)
    .map((end, index) => `0${(end - (ends[index] ?? 0) - EOB14_LEAST).toString(2).padStart(14, '0')}`);
  const bytes = bits.join('').match(/.{1,8}/g) ?? [];
  // A byte of ones is followed by a zero, so that it is no marker (B.1.1.5).
  return Buffer.from(
    bytes.flatMap((byte) => (byte === '11111111' ? [255, 0] : [Number.parseInt(byte.padEnd(8, '1'), 2)])),
  );
}
