/** A property of an item, such as its size, as the bytes of its box after the header. */
export interface AvifProperty {
  /** The box's type, such as `ispe`. */
  type: string;
  content: Uint8Array;
}

/** An item of an AVIF file, such as its picture or the picture's transparency. */
export interface AvifItem {
  id: number;
  /** `av01` for a picture in AV1. */
  type: string;
  data: Uint8Array;
  properties: readonly AvifProperty[];
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

/**
 * Reads the items of an AVIF still and their properties (ISO/IEC 14496-12, section 8.11; ISO/IEC 23008-12). Only what encoders of single
 * pictures write is supported: each item in one piece, outside of the `meta` box.
 *
 * @returns `undefined` if the file is damaged, or its items are stored in another way
 */
export function readAvifItems(file: Uint8Array): AvifItems | undefined {
  try {
    return parse(file);
  } catch (error) {
    // A DataView throws it for what lies beyond the end of the file.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parse(file: Uint8Array): AvifItems | undefined {
  const meta = boxesIn(file).find(({ type }) => type === 'meta');
  // The four bytes before the boxes within: version and flags.
  const boxes = new Map(meta && boxesIn(meta.content.subarray(4)).map((box) => [box.type, box.content]));
  const [pitm, iloc, iinf, iprp] = ['pitm', 'iloc', 'iinf', 'iprp'].map((type) => boxes.get(type));
  if (!pitm || !iloc || !iinf || !iprp) return undefined;
  const locations = readLocations(iloc, file);
  const properties = readProperties(iprp);
  const references = readReferences(boxes.get('iref'));
  const all = readItemTypes(iinf).flatMap(({ id, type }) => {
    const data = locations.get(id);
    const auxiliaryOf = references.find((one) => one.type === 'auxl' && one.from === id)?.to;
    return data ? [{ id, type, data, auxiliaryOf, properties: properties.get(id) ?? [] }] : [];
  });
  const primaryId = fieldReader(pitm, 4)(pitm[0] === 0 ? 2 : 4);
  const primary = all.find(({ id }) => id === primaryId);
  const hasOtherReferences = references.some(({ type }) => type !== 'auxl');
  return primary && { primary, all, hasOtherReferences };
}

interface Box {
  type: string;
  content: Uint8Array;
}

/** Returns the boxes that follow each other in some bytes, up to one that is damaged. */
function boxesIn(bytes: Uint8Array): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const field = fieldReader(bytes, at);
    const shortSize = field(4);
    const type = String.fromCharCode(field(1), field(1), field(1), field(1));
    const headerBytes = shortSize === 1 ? 16 : 8;
    // 1: a longer field follows the type; 0: up to the end.
    const size = shortSize === 1 ? field(8) : shortSize || bytes.length - at;
    if (size < headerBytes || at + size > bytes.length) break;
    boxes.push({ type, content: bytes.subarray(at + headerBytes, at + size) });
    at += size;
  }
  return boxes;
}

/** Returns the next field of some bytes as an unsigned number. Its length is 0, 1, 2, 4 or 8 bytes. */
type ReadField = (bytes: number) => number;

function fieldReader(bytes: Uint8Array, start = 0): ReadField {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  return (length) => {
    const from = at;
    at += length;
    switch (length) {
      case 1:
        return view.getUint8(from);
      case 2:
        return view.getUint16(from);
      case 4:
        return view.getUint32(from);
      case 8:
        return Number(view.getBigUint64(from));
      default:
        return 0;
    }
  };
}

/** `iinf`: the id and the type of each item. */
function readItemTypes(iinf: Uint8Array): { id: number; type: string }[] {
  const entries = boxesIn(iinf.subarray(iinf[0] === 0 ? 6 : 8)).filter(({ type }) => type === 'infe');
  return entries.map(({ content }) => {
    const field = fieldReader(content, 4);
    const id = field(content[0] === 3 ? 4 : 2);
    field(2);
    return { id, type: String.fromCharCode(field(1), field(1), field(1), field(1)) };
  });
}

/** `iloc`: the bytes of each item that is stored in one piece, at an offset of the file. */
function readLocations(iloc: Uint8Array, file: Uint8Array): Map<number, Uint8Array> {
  const version = iloc[0] as number;
  const field = fieldReader(iloc, 4);
  const [sizes, moreSizes] = [field(1), field(1)];
  const idBytes = version < 2 ? 2 : 4;
  const locations = new Map<number, Uint8Array>();
  for (let count = field(idBytes); count > 0; count--) {
    const id = field(idBytes);
    const constructionMethod = version === 0 ? 0 : field(2) & 15;
    field(2);
    const base = field(moreSizes >> 4);
    const extents = field(2);
    let data: Uint8Array | undefined;
    for (let extent = 0; extent < extents; extent++) {
      if (version > 0) field(moreSizes & 15);
      const offset = base + field(sizes >> 4);
      const length = field(sizes & 15);
      data = file.subarray(offset, offset + length);
    }
    if (extents === 1 && constructionMethod === 0 && data) locations.set(id, data);
  }
  return locations;
}

/** `iprp`: the properties of each item. */
function readProperties(iprp: Uint8Array): Map<number, AvifProperty[]> {
  const boxes = boxesIn(iprp);
  const known = boxesIn(boxes.find(({ type }) => type === 'ipco')?.content ?? new Uint8Array());
  const properties = new Map<number, AvifProperty[]>();
  for (const { type, content } of boxes) {
    if (type !== 'ipma') continue;
    const [version, flags] = [content[0] as number, content[3] as number];
    const field = fieldReader(content, 4);
    for (let count = field(4); count > 0; count--) {
      const id = field(version === 0 ? 2 : 4);
      // The highest bit says whether the property is essential; the rest is an index, counted from 1.
      const indices = Array.from({ length: field(1) }, () =>
        flags & 1 ? field(2) & 0x7fff : field(1) & 0x7f,
      );
      const found = indices.flatMap((index) => known[index - 1] ?? []);
      properties.set(id, [...(properties.get(id) ?? []), ...found]);
    }
  }
  return properties;
}

/** `iref`: which item refers to which, and how. */
function readReferences(iref: Uint8Array | undefined): { type: string; from: number; to: number }[] {
  if (!iref) return [];
  const idBytes = iref[0] === 0 ? 2 : 4;
  return boxesIn(iref.subarray(4)).flatMap(({ type, content }) => {
    const field = fieldReader(content);
    const from = field(idBytes);
    return Array.from({ length: field(2) }, () => ({ type, from, to: field(idBytes) }));
  });
}
