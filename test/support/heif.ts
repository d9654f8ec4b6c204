import { readFile } from 'node:fs/promises';
import { boxesIn, findBox } from '../../src/decode/containers/isobmff.ts';

const FIXTURE = new URL('../encode/fixtures/quadrants-display-p3.heic', import.meta.url);
/** The size of the picture in the fixture. */
export const TILE = { width: 96, height: 64 };

/** Returns a box of an ISO base media file. */
export function box(type: string, ...parts: (Uint8Array | number[])[]): Buffer {
  const contents = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([uint32(8 + contents.length), Buffer.from(type, 'latin1'), contents]);
}

/** Returns a box with a version and flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: (Uint8Array | number[])[]
): Buffer {
  return box(type, [version, ...uint32(flags).subarray(1)], ...parts);
}

export function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/**
 * Makes a HEIC whose picture is a grid of the fixture's picture, as phones write large photographs.
 *
 * @param size - the declared size of the picture; by default that of all tiles
 */
export async function heicGrid(
  columns: number,
  rows: number,
  size = { width: columns * TILE.width, height: rows * TILE.height },
): Promise<Buffer> {
  const fixture = await readFile(FIXTURE);
  const properties = findBox(fixture, ['meta', 'iprp', 'ipco']);
  const config = boxesIn(fixture, properties?.start, properties?.end).find(({ type }) => type === 'hvcC');
  const data = boxesIn(fixture).find(({ type }) => type === 'mdat');
  const location = findBox(fixture, ['meta', 'iloc']);
  if (!config || !data || !location) throw new Error('the fixture is not as expected');
  const tile = fixture.subarray(data.start, data.end);

  const tiles = columns * rows;
  const gridId = tiles + 1;
  const ids = Array.from({ length: tiles }, (_, index) => index + 1);
  const item = (id: number, type: string, flags: number) =>
    fullBox('infe', 2, flags, uint16(id), [0, 0], Buffer.from(`${type}\0`, 'latin1'));
  const grid = Buffer.concat([
    Buffer.from([0, 1, rows - 1, columns - 1]),
    uint32(size.width),
    uint32(size.height),
  ]);
  const ftyp = box('ftyp', Buffer.from('heic\0\0\0\0mif1heic', 'latin1'));
  const metaWith = (dataAt: number) => {
    const extent = (id: number, at: number, length: number) =>
      Buffer.concat([uint16(id), uint16(0), uint16(1), uint32(at), uint32(length)]);
    return fullBox(
      'meta',
      0,
      0,
      fullBox('hdlr', 0, 0, uint32(0), Buffer.from('pict', 'latin1'), Buffer.alloc(13)),
      fullBox('pitm', 0, 0, uint16(gridId)),
      fullBox(
        'iloc',
        0,
        0,
        [0x44, 0],
        uint16(gridId),
        ...ids.map((id) => extent(id, dataAt + grid.length, tile.length)),
        extent(gridId, dataAt, grid.length),
      ),
      fullBox('iinf', 0, 0, uint16(gridId), ...ids.map((id) => item(id, 'hvc1', 1)), item(gridId, 'grid', 0)),
      fullBox('iref', 0, 0, box('dimg', uint16(gridId), uint16(tiles), ...ids.map(uint16))),
      box(
        'iprp',
        box(
          'ipco',
          box('hvcC', fixture.subarray(config.start, config.end)),
          fullBox('ispe', 0, 0, uint32(TILE.width), uint32(TILE.height)),
          fullBox('ispe', 0, 0, uint32(size.width), uint32(size.height)),
        ),
        fullBox('ipma', 0, 0, uint32(gridId), ...ids.map((id) => [...uint16(id), 2, 0x81, 2]), [
          ...uint16(gridId),
          1,
          3,
        ]),
      ),
    );
  };
  const dataAt = ftyp.length + metaWith(0).length + 8;
  return Buffer.concat([ftyp, metaWith(dataAt), box('mdat', grid, tile)]);
}
