import { readFile } from 'node:fs/promises';
import { boxesIn, findBox } from '../../src/decode/containers/isobmff.ts';
import { box, fullBox, uint32 } from './heif.ts';
import { type HeifItem, heifFile } from './heif-file.ts';

/** A coded picture, as it is in a HEIF file of its own. */
export interface CodedTile {
  type: 'av01' | 'hvc1';
  configuration: Buffer;
  data: Buffer;
}

const FIXTURE = new URL('../encode/fixtures/quadrants-display-p3.heic', import.meta.url);
const CONFIGURATIONS = { av01: 'av1C', hvc1: 'hvcC' } as const;

/** Takes the picture out of a HEIF file that has one. */
export function codedTile(file: Buffer, type: CodedTile['type']): CodedTile {
  const properties = findBox(file, ['meta', 'iprp', 'ipco']);
  const known = boxesIn(file, properties?.start, properties?.end);
  const configuration = known.find((one) => one.type === CONFIGURATIONS[type]);
  const data = boxesIn(file).find((one) => one.type === 'mdat');
  if (!configuration || !data) throw new Error('it is no HEIF file with one picture');
  const contents = file.subarray(configuration.start, configuration.end);
  return {
    type,
    configuration: box(CONFIGURATIONS[type], contents),
    data: file.subarray(data.start, data.end),
  };
}

/** Returns a picture in HEVC, 96 by 64 pixels. */
export async function hevcTile(): Promise<CodedTile> {
  return codedTile(await readFile(FIXTURE), 'hvc1');
}

/**
 * Returns a file that shows a row of tiles.
 *
 * @param size - of each tile, in pixels
 */
export function heifRow(tiles: readonly CodedTile[], size: { width: number; height: number }): Buffer {
  const extents = (width: number) => fullBox('ispe', 0, 0, uint32(width), uint32(size.height));
  const width = size.width * tiles.length;
  const data = Buffer.concat([Buffer.from([0, 1, 0, tiles.length - 1]), uint32(width), uint32(size.height)]);
  const grid: HeifItem = { type: 'grid', data, properties: [extents(width)] };
  const items = tiles.map(({ type, configuration, data: coded }) => ({
    type,
    data: coded,
    properties: [configuration, extents(size.width)],
  }));
  const brand = tiles[0]?.type === 'av01' ? 'avif' : 'heic';
  const to = tiles.map((_, index) => index + 2);
  return heifFile([brand, 'mif1', brand], [grid, ...items], { references: [{ type: 'dimg', from: 1, to }] });
}

/** Returns a tile whose data are damaged. */
export function damagedTile({ data, ...tile }: CodedTile): CodedTile {
  const zeros = Buffer.from(data);
  zeros.fill(0, 4, data.length >> 1);
  return { ...tile, data: zeros };
}
