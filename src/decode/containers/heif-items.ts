import { WalkLimit } from './file-parts.ts';
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

/**
 * Says what is missing of the pictures in a HEIF file. libheif shows missing tiles in green, and pictures that browsers refuse.
 *
 * @returns `undefined` if nothing is missing
 * @throws RangeError if the boxes are damaged
 * @throws EdgepressError `source_too_large` for countless items or extents
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
  // Fields may have no bytes, so that a small file could have any number of extents.
  const limit = new WalkLimit();
  for (let left = read(idBytes); left > 0; left--) {
    limit.countPart();
    const id = read(idBytes);
    const method = version > 0 ? read(2) & 15 : IN_FILE;
    const reference = read(2);
    const base = read(baseBytes);
    let end = 0;
    for (let extents = read(2); extents > 0; extents--) {
      limit.count();
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

/** A byte of a file that becomes another. */
export type BytePatch = readonly [at: number, value: number];

/** Grids have dozens of tiles, those of 200 megapixels 800. */
const MAX_TILES = 10_000;
/** The flag of an item that is not to be shown by itself, in the last byte of its flags. */
const HIDDEN = 1;

/**
 * Returns for each tile of the grids in a file what makes it the picture that the file shows, so that a decoder says whether the tile is
 * damaged: in a grid it leaves a damaged one out.
 *
 * @returns one list of bytes for each tile; none if there is no grid, or the boxes are damaged
 */
export function tilePatches(file: Buffer): BytePatch[][] {
  const entries = new Map(itemEntries(file).map((entry) => [entry.id, entry]));
  const pitm = findBox(file, ['meta', 'pitm']);
  if (!pitm) return [];
  const idBytes = file[pitm.start] === 0 ? 2 : 4;
  return gridTiles(file, entries).flatMap(({ tile, grid }) => {
    const entry = entries.get(tile);
    if (!entry) return [];
    const id = Array.from({ length: idBytes }, (_, index): BytePatch => {
      const shift = 8 * (idBytes - 1 - index);
      return [pitm.start + 4 + index, Math.floor(tile / 2 ** shift) & 0xff];
    });
    const shown: BytePatch = [entry.flagsAt, (file[entry.flagsAt] ?? 0) & ~HIDDEN];
    return [[...id, shown, [grid.flagsAt, (file[grid.flagsAt] ?? 0) | HIDDEN]]];
  });
}

/** The items that grids refer to by `dimg`. */
function gridTiles(
  file: Buffer,
  entries: ReadonlyMap<number, ItemEntry>,
): { tile: number; grid: ItemEntry }[] {
  const iref = findBox(file, ['meta', 'iref']);
  if (!iref) return [];
  const idBytes = file[iref.start] === 0 ? 2 : 4;
  const tiles: { tile: number; grid: ItemEntry }[] = [];
  for (const { type, start, end } of boxesIn(file, iref.start + 4, iref.end)) {
    if (type !== 'dimg' || start + idBytes + 2 > end) continue;
    const grid = entries.get(file.readUIntBE(start, idBytes));
    if (!grid || file.toString('latin1', grid.typeAt, grid.typeAt + 4) !== 'grid') continue;
    for (let at = start + idBytes + 2; at + idBytes <= end && tiles.length < MAX_TILES; at += idBytes)
      tiles.push({ tile: file.readUIntBE(at, idBytes), grid });
  }
  return tiles;
}

function readItemTypes(file: Buffer): ReadonlyMap<number, string> {
  return new Map(
    itemEntries(file).map(({ id, typeAt }) => [id, file.toString('latin1', typeAt, typeAt + 4)]),
  );
}

interface ItemEntry {
  id: number;
  /** Where its type and the last byte of its flags stand in the file. */
  typeAt: number;
  flagsAt: number;
}

/** The item information box; entries of version 2 have an id of 16 bits, those of version 3 one of 32 bits. */
function itemEntries(file: Buffer): ItemEntry[] {
  const info = findBox(file, ['meta', 'iinf']);
  if (!info) return [];
  const entries = boxesIn(file, info.start + (file[info.start] === 0 ? 6 : 8), info.end);
  return entries.flatMap(({ start, end }) => {
    const idBytes = (file[start] ?? 0) >= 3 ? 4 : 2;
    const typeAt = start + 4 + idBytes + 2;
    return typeAt + 4 <= end ? [{ id: file.readUIntBE(start + 4, idBytes), typeAt, flagsAt: start + 3 }] : [];
  });
}
