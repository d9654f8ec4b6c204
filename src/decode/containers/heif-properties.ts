// The properties of the items of a HEIF file, AVIF or HEIC: ISO/IEC 23008-12, section 9.3; ISO/IEC 14496-12, section 8.11.

import { WalkLimit } from './file-parts.ts';
import { type Box, boxesIn, findBox } from './isobmff.ts';

/** A property of an item, such as its colours. */
export interface ItemProperty {
  type: string;
  content: Buffer;
}

/** An item and the places of its properties in `ipco`, from 1. */
interface ItemAssociations {
  item: number;
  indices: readonly number[];
}

/**
 * Returns the properties of the picture that a file shows. What a grid of tiles does not say, its first tile says.
 *
 * @throws RangeError if the boxes are damaged
 */
export function primaryProperties(file: Buffer): ItemProperty[] {
  const primary = primaryItem(file);
  if (primary === undefined) return [];
  const tile = firstTile(file, primary);
  return [...propertiesOf(file, primary), ...(tile === undefined ? [] : propertiesOf(file, tile))];
}

/**
 * Returns the properties of an item.
 *
 * @throws RangeError if the boxes are damaged
 */
export function propertiesOf(file: Buffer, id: number): ItemProperty[] {
  const ipco = findBox(file, ['meta', 'iprp', 'ipco']);
  if (!ipco) return [];
  const known = boxesIn(file, ipco.start, ipco.end);
  return ipmaBoxes(file)
    .flatMap((ipma) => readIpma(contentOf(file, ipma)))
    .filter(({ item }) => item === id)
    .flatMap(({ indices }) => indices)
    .flatMap((index) => known[index - 1] ?? [])
    .map((box) => propertyOf(file, box));
}

/**
 * Returns the items that have a property of this type.
 *
 * @throws RangeError if the boxes are damaged
 */
export function itemsWithProperty(file: Buffer, type: string): ReadonlySet<number> {
  const ipco = findBox(file, ['meta', 'iprp', 'ipco']);
  const known = ipco ? boxesIn(file, ipco.start, ipco.end) : [];
  const items = ipmaBoxes(file).flatMap((ipma) => readIpma(contentOf(file, ipma)));
  const having = items.filter(({ indices }) => indices.some((index) => known[index - 1]?.type === type));
  return new Set(having.map(({ item }) => item));
}

function propertyOf(file: Buffer, box: Box): ItemProperty {
  return { type: box.type, content: contentOf(file, box) };
}

function contentOf(file: Buffer, { start, end }: Box): Buffer {
  return file.subarray(start, end);
}

/** Returns the id of the item that a file shows. */
export function primaryItem(file: Buffer): number | undefined {
  const pitm = findBox(file, ['meta', 'pitm']);
  if (!pitm) return undefined;
  return file[pitm.start] === 0 ? file.readUInt16BE(pitm.start + 4) : file.readUInt32BE(pitm.start + 4);
}

/** A derived image refers to those that it is made of by `dimg`. */
function firstTile(file: Buffer, primary: number): number | undefined {
  return referredTo(file, primary, 'dimg');
}

/**
 * Whether the colours of the picture that a file shows are already multiplied by its transparency (MIAF, ISO/IEC 23000-22, section
 * 7.3.5.2).
 *
 * @throws RangeError if the boxes are damaged
 */
export function isPremultiplied(file: Buffer): boolean {
  const primary = primaryItem(file);
  return primary !== undefined && referredTo(file, primary, 'prem') !== undefined;
}

/** Returns the first item that an item refers to in this way. */
function referredTo(file: Buffer, from: number, kind: string): number | undefined {
  const iref = findBox(file, ['meta', 'iref']);
  if (!iref) return undefined;
  const idBytes = file[iref.start] === 0 ? 2 : 4;
  const reference = boxesIn(file, iref.start + 4, iref.end).find(
    ({ type, start }) => type === kind && file.readUIntBE(start, idBytes) === from,
  );
  return reference && file.readUIntBE(reference.start + idBytes + 2, idBytes);
}

function ipmaBoxes(file: Buffer): Box[] {
  const iprp = findBox(file, ['meta', 'iprp']);
  return iprp ? boxesIn(file, iprp.start, iprp.end).filter(({ type }) => type === 'ipma') : [];
}

/** @throws EdgepressError `source_too_large` for countless associations */
function readIpma(ipma: Buffer): ItemAssociations[] {
  const limit = new WalkLimit();
  const isWide = (ipma.readUInt8(3) & 1) === 1;
  const [idBytes, indexBytes] = [ipma[0] === 0 ? 2 : 4, isWide ? 2 : 1];
  // The highest bit says whether the property is essential.
  const indexMask = isWide ? 0x7fff : 0x7f;
  const count = ipma.readUInt32BE(4);
  const items: ItemAssociations[] = [];
  for (let at = 8; items.length < count; ) {
    const item = ipma.readUIntBE(at, idBytes);
    const associations = ipma.readUInt8(at + idBytes);
    limit.countPart();
    limit.count(associations);
    at += idBytes + 1;
    const indices: number[] = [];
    for (; indices.length < associations; at += indexBytes)
      indices.push(ipma.readUIntBE(at, indexBytes) & indexMask);
    items.push({ item, indices });
  }
  return items;
}
