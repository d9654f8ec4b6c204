/** A picture of an icon or a cursor. */
export type IconPicture = { kind: 'png' | 'bmp'; bytes: Uint8Array };

const HEADER_BYTES = 6;
const ENTRY_BYTES = 16;
/** Icons have a dozen pictures at most. */
const MAX_PICTURES = 64;
const PNG_SIGNATURE = 0x89504e47;

/**
 * Returns the largest picture of an icon or a cursor: a PNG as it is, or an icon with one picture in the format of BMP.
 *
 * @returns `undefined` if the file is damaged
 */
export function largestIconPicture(file: Buffer): IconPicture | undefined {
  if (file.length < HEADER_BYTES) return undefined;
  const count = Math.min(file.readUInt16LE(4), MAX_PICTURES);
  const pictures = Array.from({ length: count }, (_, index) => HEADER_BYTES + index * ENTRY_BYTES)
    .filter((entry) => entry + ENTRY_BYTES <= file.length)
    .map((entry) => {
      const at = file.readUInt32LE(entry + 12);
      const picture = file.subarray(at, at + file.readUInt32LE(entry + 8));
      // A side of 256 pixels is stored as 0.
      return { entry, picture, pixels: (file[entry] || 256) * (file[entry + 1] || 256) };
    })
    .filter(({ picture }) => picture.length > 40);
  const [largest] = pictures.sort((a, b) => b.pixels - a.pixels || b.picture.length - a.picture.length);
  if (!largest) return undefined;
  const { entry, picture } = largest;
  if (picture.readUInt32BE(0) === PNG_SIGNATURE) return { kind: 'png', bytes: picture };
  const header = Buffer.alloc(HEADER_BYTES + ENTRY_BYTES);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(1, 4);
  file.copy(header, HEADER_BYTES, entry, entry + 12);
  // A cursor has its hot spot in the place of planes and bits, which the picture's own header has too.
  header.writeUInt16LE(picture.readUInt16LE(12), HEADER_BYTES + 4);
  header.writeUInt16LE(picture.readUInt16LE(14), HEADER_BYTES + 6);
  header.writeUInt32LE(picture.length, HEADER_BYTES + 8);
  header.writeUInt32LE(header.length, HEADER_BYTES + 12);
  return { kind: 'bmp', bytes: Buffer.concat([header, picture]) };
}
