import { box, fullBox, uint16, uint32 } from './heif.ts';

/** An item of a HEIF file. Ids are counted from 1. */
export interface HeifItem {
  type: 'av01' | 'hvc1' | 'tmap' | 'grid';
  data: Buffer;
  /** Boxes. The first one is essential: it is the configuration of the codec. */
  properties: readonly Buffer[];
}

export interface HeifReference {
  type: 'auxl' | 'dimg' | 'prem';
  from: number;
  to: readonly number[];
}

/** Parts that a file with one picture does not need. */
export interface HeifParts {
  references?: readonly HeifReference[];
  /** Ids of items of which the first that a reader understands is to be shown. */
  alternatives?: readonly number[];
}

/**
 * Returns a HEIF file that shows its first item.
 *
 * @param brands - the major one first
 */
export function heifFile(
  brands: readonly string[],
  items: readonly HeifItem[],
  parts: HeifParts = {},
): Buffer {
  const [major = '', ...compatible] = brands.map((brand) => Buffer.from(brand, 'latin1'));
  const ftyp = box('ftyp', Buffer.from(major), uint32(0), ...compatible);
  const dataAt = ftyp.length + metaBox(items, 0, parts).length + 8;
  const data = items.map((item) => item.data);
  return Buffer.concat([ftyp, metaBox(items, dataAt, parts), box('mdat', ...data)]);
}

function metaBox(
  items: readonly HeifItem[],
  dataAt: number,
  { references = [], alternatives }: HeifParts,
): Buffer {
  const count = uint16(items.length);
  const infos = items.map(({ type }, index) =>
    fullBox('infe', 2, index === 0 ? 0 : 1, uint16(index + 1), [0, 0], Buffer.from(`${type}\0`, 'latin1')),
  );
  const links = references.map(({ type, from, to }) =>
    box(type, ...[from, to.length, ...to].map((id) => uint16(id))),
  );
  const GROUP_ID = 100;
  return fullBox(
    'meta',
    0,
    0,
    fullBox('hdlr', 0, 0, uint32(0), Buffer.from('pict', 'latin1'), Buffer.alloc(13)),
    fullBox('pitm', 0, 0, uint16(1)),
    fullBox('iloc', 0, 0, [0x44, 0], count, ...locations(items, dataAt)),
    fullBox('iinf', 0, 0, count, ...infos),
    ...(links.length > 0 ? [fullBox('iref', 0, 0, ...links)] : []),
    propertiesBox(items),
    ...(alternatives
      ? [box('grpl', fullBox('altr', 0, 0, ...[GROUP_ID, alternatives.length, ...alternatives].map(uint32)))]
      : []),
  );
}

function locations(items: readonly HeifItem[], dataAt: number): Buffer[] {
  let at = dataAt;
  return items.flatMap(({ data }, index) => {
    const offset = at;
    at += data.length;
    return [...[index + 1, 0, 1].map(uint16), uint32(offset), uint32(data.length)];
  });
}

/** Items with a configuration. */
const CODED: readonly string[] = ['av01', 'hvc1'];

function propertiesBox(items: readonly HeifItem[]): Buffer {
  const ESSENTIAL = 0x80;
  let known = 0;
  const associations = items.map(({ type, properties }, index) => {
    const first = known + 1;
    known += properties.length;
    const indices = properties.map(
      (_, at) => (at === 0 && CODED.includes(type) ? ESSENTIAL : 0) + first + at,
    );
    return [...uint16(index + 1), indices.length, ...indices];
  });
  const all = items.flatMap(({ properties }) => properties);
  return box('iprp', box('ipco', ...all), fullBox('ipma', 0, 0, uint32(items.length), ...associations));
}
