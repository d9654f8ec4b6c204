import { asBuffer } from '../containers/isobmff.ts';

/** Places in the file header and in BITMAPINFOHEADER. */
const FILE_SIZE = 2;
const PIXELS = 10;
const HEADER_SIZE = 14;
const PLANES = 26;
const BITS = 28;
const COMPRESSION = 30;
const COLOURS_USED = 46;
/** Values of Compression: none, without and with masks. */
const BI_RGB = 0;
const BI_BITFIELDS = 3;
/** The masks of red, green, blue and alpha in BITMAPV4HEADER, for pixels that are stored as blue, green, red, alpha. */
const V4_HEADER_BYTES = 108;
const MASKS = 54;
const USUAL_MASKS = Buffer.from('0000ff0000ff0000ff000000000000ff', 'hex');
const INFO_HEADER_BYTES = 40;

/**
 * Returns a BMP whose header says its size, one plane, and no more colours than its bits allow, and whose fourth bytes say opaque where
 * they mean nothing. Programs write anything there, and browsers ignore it; ImageMagick does not.
 */
export function repairBmp(bytes: Uint8Array): Uint8Array {
  if (bytes.length < HEADER_SIZE + INFO_HEADER_BYTES) return bytes;
  const repaired = Buffer.from(bytes);
  repaired.writeUInt32LE(bytes.length, FILE_SIZE);
  if (repaired.readUInt32LE(HEADER_SIZE) >= INFO_HEADER_BYTES) {
    repaired.writeUInt16LE(1, PLANES);
    const colours = 2 ** Math.min(repaired.readUInt16LE(BITS), 8);
    if (repaired.readUInt32LE(COLOURS_USED) > colours) repaired.writeUInt32LE(colours, COLOURS_USED);
    const isRgb = repaired.readUInt32LE(COMPRESSION) === BI_RGB;
    if (isRgb && repaired.readUInt16LE(BITS) === 32) sayAlpha(repaired);
  }
  return asBuffer(bytes).equals(repaired) ? bytes : repaired;
}

/** Without a mask for it, the fourth byte of a pixel is no alpha: it is set to opaque. With one, masks are said to be in use. */
function sayAlpha(file: Buffer): void {
  if (
    file.subarray(MASKS, MASKS + USUAL_MASKS.length).equals(USUAL_MASKS) &&
    file.readUInt32LE(HEADER_SIZE) >= V4_HEADER_BYTES
  )
    file.writeUInt32LE(BI_BITFIELDS, COMPRESSION);
  else for (let at = file.readUInt32LE(PIXELS) + 3; at < file.length; at += 4) file[at] = 255;
}
