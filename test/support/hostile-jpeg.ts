import { joinJpeg, jpegSegment } from './file-faults.ts';

/** A code of one bit for a single symbol. */
function table(destination: number, symbol: number): Buffer {
  return jpegSegment(0xc4, Buffer.from([destination, 1, ...Array(15).fill(0), symbol]));
}

/** A run of blocks without coefficients is 2 to the power of 14 and as many again at most. */
const MAX_RUN = 32_767;

/** Says of all blocks that they have no coefficients: few bytes, whatever the size. */
function emptyBand(blocks: number): Buffer {
  const runs = Math.ceil(blocks / MAX_RUN);
  const bits = Array.from({ length: runs }, (_, index) => {
    const length = Math.floor(((index + 1) * blocks) / runs) - Math.floor((index * blocks) / runs);
    return `0${(length - 2 ** 14).toString(2).padStart(14, '0')}`;
  }).join('');
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1').match(/.{8}/g) ?? [];
  const data = bytes.map((byte) => Number.parseInt(byte, 2));
  return Buffer.from(data.flatMap((byte) => (byte === 0xff ? [byte, 0] : [byte])));
}

/**
 * Returns a grey progressive JPEG that is valid: each coefficient in scans of its own, one for each of its bits.
 *
 * @param side - in pixels, a multiple of 8, from 1,024
 * @param coefficients - how many have scans: 1 to 63
 */
export function jpegOfManyScans(side: number, coefficients = 63): Buffer {
  const blocks = (side / 8) ** 2;
  const scan = (first: number, high: number, low: number, data: Buffer) =>
    Buffer.concat([jpegSegment(0xda, Buffer.from([1, 1, 0, first, first, (high << 4) | low])), data]);
  const [HIGHEST_BIT, band] = [13, emptyBand(blocks)];
  const scans = [scan(0, 0, 0, Buffer.alloc(Math.ceil(blocks / 8)))];
  for (let k = 1; k <= coefficients; k++)
    for (let bit = HIGHEST_BIT; bit >= 0; bit--)
      scans.push(scan(k, bit === HIGHEST_BIT ? 0 : bit + 1, bit, band));
  const size = [side >> 8, side & 255];
  const header = [
    jpegSegment(0xdb, Buffer.from([0, ...Array(64).fill(16)])),
    jpegSegment(0xc2, Buffer.from([8, ...size, ...size, 1, 1, 0x11, 0])),
    ...[table(0x00, 0), table(0x10, 0xe0)],
  ];
  return joinJpeg(header, ...scans, Buffer.from([0xff, 0xd9]));
}
