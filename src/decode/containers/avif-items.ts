import { type ItemProperty, primaryItem, propertiesOf } from './heif-properties.ts';
import { asBuffer, type Box, boxesIn, findBox } from './isobmff.ts';

/** An item of an AVIF file, such as its picture or the picture's transparency. */
export interface AvifItem {
  id: number;
  /** `av01` for a picture in AV1. */
  type: string;
  data: Buffer;
  properties: readonly ItemProperty[];
  /** The id of the item that this one is an auxiliary picture of. */
  auxiliaryOf: number | undefined;
}

/** The items of an AVIF file. */
export interface AvifItems {
  /** The item that is shown. */
  primary: AvifItem;
  /** All items, the primary one included, in the order of the file. */
  all: readonly AvifItem[];
  /** Whether one item refers to another in any way but as an auxiliary picture. */
  hasOtherReferences: boolean;
}

/** Pictures, their transparency, and metadata are a handful. */
const MAX_ITEMS = 16;
/** What the boxes about so few items have at most. A hostile file could have megabytes. */
const MAX_BOX_BYTES = 4096;

/**
 * Reads the items of an AVIF still and their properties (ISO/IEC 14496-12, section 8.11; ISO/IEC 23008-12). Only what encoders of single
 * pictures write is supported: each item in one piece, outside of the `meta` box.
 *
 * @returns `undefined` if the file is damaged, or its items are stored in another way
 */
export function readAvifItems(file: Uint8Array): AvifItems | undefined {
  try {
    return parse(asBuffer(file));
  } catch (error) {
    // A buffer throws it for what lies beyond the end of the file.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parse(file: Buffer): AvifItems | undefined {
  const [iloc, iinf, iref] = ['iloc', 'iinf', 'iref'].map((type) => findBox(file, ['meta', type]));
  if (!iloc || !iinf) return undefined;
  if ([iloc, iref].some((box) => box && box.end - box.start > MAX_BOX_BYTES)) return undefined;
  const locations = readLocations(file, iloc);
  const types = readItemTypes(file, iinf);
  if (!locations || types.length > MAX_ITEMS) return undefined;
  const references = iref ? readReferences(file, iref) : [];
  const all = types.flatMap(({ id, type }) => {
    const data = locations.get(id);
    const auxiliaryOf = references.find((one) => one.type === 'auxl' && one.from === id)?.to;
    return data ? [{ id, type, data, auxiliaryOf, properties: propertiesOf(file, id) }] : [];
  });
  const primaryId = primaryItem(file);
  const primary = all.find(({ id }) => id === primaryId);
  const hasOtherReferences = references.some(({ type }) => type !== 'auxl');
  return primary && { primary, all, hasOtherReferences };
}

/** Returns the next field as an unsigned number. Its length is 0, 1, 2, 4 or 8 bytes; the longest offsets are below 2^48. */
type ReadField = (bytes: number) => number;

function fieldReader(file: Buffer, start: number): ReadField {
  let at = start;
  return (length) => {
    const from = at;
    at += length;
    if (length === 8) return file.readUInt16BE(from) * 2 ** 48 + file.readUIntBE(from + 2, 6);
    return length === 0 ? 0 : file.readUIntBE(from, length);
  };
}

/** `iinf`: the id and the type of each item. */
function readItemTypes(file: Buffer, { start, end }: Box): { id: number; type: string }[] {
  const entries = boxesIn(file, start + (file[start] === 0 ? 6 : 8), end).filter(
    ({ type }) => type === 'infe',
  );
  return entries.map((entry) => {
    const idBytes = file[entry.start] === 3 ? 4 : 2;
    const typeAt = entry.start + 4 + idBytes + 2;
    return {
      id: file.readUIntBE(entry.start + 4, idBytes),
      type: file.toString('latin1', typeAt, typeAt + 4),
    };
  });
}

/** `iloc`: the bytes of each item at an offset of the file; `undefined` if any is not in one piece. */
function readLocations(file: Buffer, { start }: Box): Map<number, Buffer> | undefined {
  const version = file.readUInt8(start);
  const field = fieldReader(file, start + 4);
  const [sizes, moreSizes] = [field(1), field(1)];
  const idBytes = version < 2 ? 2 : 4;
  const locations = new Map<number, Buffer>();
  for (let count = field(idBytes); count > 0; count--) {
    const id = field(idBytes);
    const constructionMethod = version === 0 ? 0 : field(2) & 15;
    field(2);
    const base = field(moreSizes >> 4);
    // A hostile file could have any number of extents that take no bytes.
    if (field(2) !== 1) return undefined;
    if (version > 0) field(moreSizes & 15);
    const offset = base + field(sizes >> 4);
    const data = file.subarray(offset, offset + field(sizes & 15));
    if (constructionMethod === 0) locations.set(id, data);
  }
  return locations;
}

/** `iref`: which item refers to which, and how. */
function readReferences(file: Buffer, iref: Box): { type: string; from: number; to: number }[] {
  const idBytes = file[iref.start] === 0 ? 2 : 4;
  return boxesIn(file, iref.start + 4, iref.end).flatMap(({ type, start }) => {
    const field = fieldReader(file, start);
    const from = field(idBytes);
    return Array.from({ length: field(2) }, () => ({ type, from, to: field(idBytes) }));
  });
}
