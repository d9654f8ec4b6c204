import { itemsWithProperty } from './heif-properties.ts';
import { boxesIn, findBox } from './isobmff.ts';

/** An item of a HEIF file (ISO/IEC 14496-12, section 8.11). */
interface Item {
  id: number;
  /** Four letters, such as `av01`; the empty text if the file does not say it. */
  type: string;
  /** Whether all of its data are in the file. */
  isWhole: boolean;
}

/** Items that are no part of a picture. */
const METADATA = ['Exif', 'mime', 'uri '];
/** The place of an item's data: in the file, rather than in a box or another item. */
const IN_FILE = 0;
/** Fields may have no bytes, so that a small file could have any number of them. */
const MAX_EXTENTS = 100_000;

/**
 * Says what is missing of the pictures in a HEIF file. libheif shows missing tiles in green, and pictures that browsers refuse.
 *
 * @returns `undefined` if nothing is missing
 * @throws RangeError if the boxes are damaged
 */
export function missingPart(file: Buffer): string | undefined {
  const pictures = readItems(file).filter(({ type }) => !METADATA.includes(type));
  if (pictures.some(({ isWhole }) => !isWhole)) return 'the file ends within the data of a picture';
  const sized = itemsWithProperty(file, 'ispe');
  const hasUnsized = pictures.some(({ id, type }) => type === 'av01' && !sized.has(id));
  return hasUnsized ? 'a picture has no size' : undefined;
}

function readItems(file: Buffer): Item[] {
  const types = readItemTypes(file);
  const location = findBox(file, ['meta', 'iloc']);
  if (!location) return [];
  const box = file.subarray(location.start, location.end);
  const version = box.readUInt8(0);
  const [offsetBytes, lengthBytes] = [box.readUInt8(4) >> 4, box.readUInt8(4) & 15];
  const [baseBytes, indexBytes] = [box.readUInt8(5) >> 4, version > 0 ? box.readUInt8(5) & 15 : 0];
  const idBytes = version < 2 ? 2 : 4;
  let at = 6;
  const read = (bytes: number) => {
    at += bytes;
    return bytes === 0
      ? 0
      : bytes === 8
        ? Number(box.readBigUInt64BE(at - 8))
        : box.readUIntBE(at - bytes, bytes);
  };
  const items: Item[] = [];
  let total = 0;
  for (let left = read(idBytes); left > 0; left--) {
    const id = read(idBytes);
    const method = version > 0 ? read(2) & 15 : IN_FILE;
    const reference = read(2);
    const base = read(baseBytes);
    let end = 0;
    for (let extents = read(2); extents > 0; extents--) {
      if (++total > MAX_EXTENTS) throw new RangeError('too many extents');
      read(indexBytes);
      const offset = read(offsetBytes);
      end = Math.max(end, base + offset + read(lengthBytes));
    }
    const isWhole = method !== IN_FILE || reference !== 0 || end <= file.length;
    items.push({ id, type: types.get(id) ?? '', isWhole });
  }
  return items;
}

/** Returns where the types of the items that are metadata stand in the file; none if the boxes are damaged. */
export function metadataTypes(file: Buffer): number[] {
  const places = itemEntries(file).map(({ typeAt }) => typeAt);
  return places.filter((at) => METADATA.includes(file.toString('latin1', at, at + 4)));
}

function readItemTypes(file: Buffer): ReadonlyMap<number, string> {
  return new Map(
    itemEntries(file).map(({ id, typeAt }) => [id, file.toString('latin1', typeAt, typeAt + 4)]),
  );
}

/** The item information box; entries of version 2 have an id of 16 bits, those of version 3 one of 32 bits. */
function itemEntries(file: Buffer): { id: number; typeAt: number }[] {
  const info = findBox(file, ['meta', 'iinf']);
  if (!info) return [];
  const entries = boxesIn(file, info.start + (file[info.start] === 0 ? 6 : 8), info.end);
  return entries.flatMap(({ start, end }) => {
    const idBytes = (file[start] ?? 0) >= 3 ? 4 : 2;
    const typeAt = start + 4 + idBytes + 2;
    return typeAt + 4 <= end ? [{ id: file.readUIntBE(start + 4, idBytes), typeAt }] : [];
  });
}
