import type { RefusedLine } from '../outcome.ts';
import type { Unit, UnitImage } from '../unit.ts';

/** Rows of one unit may be as far apart as these numbers of units and bytes of text between them. */
const MAX_OPEN_UNITS = 10_000;
const MAX_OPEN_BYTES = 2 ** 23;
/** As many as a unit may have. */
const MAX_IMAGES = 10_000;

/** A row as a unit, and its bytes of the input, as it was sent. */
interface UnitRow {
  line: number;
  unit: Unit;
  bytes: number;
}

/** The rows of a unit so far, as one. */
interface OpenUnit {
  row: UnitRow;
  textBytes: number;
}

/**
 * Joins the rows of a unit: its images are those of all rows with its id, its other fields those of the first. A bounded number of units
 * stays open; a row that comes later is refused, since it would replace the images before.
 */
export interface RowGroups {
  /**
   * Returns what is complete.
   *
   * @param textBytes - the bytes of the row, decompressed: they are the same whenever an input is read, in whatever chunks it comes
   */
  add(row: UnitRow, textBytes: number): readonly (UnitRow | RefusedLine)[];
  /** Returns the rest. */
  end(): readonly UnitRow[];
}

const NOTHING: readonly UnitRow[] = [];

/** @param isSeen - whether a unit was open before, which it is from then on */
export function createRowGroups(isSeen: (id: string) => boolean): RowGroups {
  const open = new Map<string, OpenUnit>();
  // Beside the map, whose first entry takes long to find once thousands before it have been removed.
  const order = createFirstInFirstOut<OpenUnit>();
  let bytes = 0;
  function takeTooMany(): readonly UnitRow[] {
    if (open.size <= MAX_OPEN_UNITS && bytes <= MAX_OPEN_BYTES) return NOTHING;
    const taken: UnitRow[] = [];
    while (open.size > MAX_OPEN_UNITS || bytes > MAX_OPEN_BYTES) {
      const first = order.take();
      if (!first) break;
      open.delete(first.row.unit.id);
      bytes -= first.textBytes;
      taken.push(first.row);
    }
    return taken;
  }
  function begin(unit: OpenUnit): void {
    open.set(unit.row.unit.id, unit);
    order.add(unit);
  }
  return {
    add(row, textBytes) {
      const before = open.get(row.unit.id);
      if (!before && isSeen(row.unit.id))
        return [refuse(row, 'its rows are too far apart: sort the input by id')];
      if (before && before.row.unit.images.length + row.unit.images.length > MAX_IMAGES)
        return [refuse(row, `its unit has more than ${MAX_IMAGES} images`)];
      bytes += textBytes;
      if (before) join(before, row, textBytes);
      else begin({ row, textBytes });
      return takeTooMany();
    },
    end: () => [...open.values()].map(({ row }) => row),
  };
}

/** `shift` of an array of ten thousand copies it. */
function createFirstInFirstOut<T>() {
  let items: T[] = [];
  let first = 0;
  return {
    add: (item: T) => void items.push(item),
    take(): T | undefined {
      const item = items[first++];
      if (2 * first > items.length) [items, first] = [items.slice(first), 0];
      return item;
    },
  };
}

function refuse({ line, unit }: UnitRow, detail: string): RefusedLine {
  return { line, unit: unit.id, state: 'refused', detail };
}

function join(before: OpenUnit, row: UnitRow, textBytes: number): void {
  before.textBytes += textBytes;
  before.row.bytes += row.bytes;
  (before.row.unit.images as UnitImage[]).push(...row.unit.images);
}
