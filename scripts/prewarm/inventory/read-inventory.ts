import type { InputNotes } from '../../../src/unit/input/input-notes.ts';
import type { RefusedLine } from '../../../src/unit/outcome.ts';
import type { ReadUnit, ToUnit } from '../../../src/unit/read-units.ts';
import { messageOf } from '../../cli/command.ts';
import { counted } from '../../cli/text.ts';
import { createImageGroups, type GroupedImage, type ImageGroup, type ImageGroups } from './grouped.ts';
import { readListedImages } from './objects.ts';
import type { UnitOfKey } from './unit-of-key.ts';

/** An S3 Inventory whose images become units. */
export interface Inventory {
  /** The names of the columns. */
  columns: readonly string[];
  files: readonly { bytes: number; chunks(signal: AbortSignal): AsyncIterable<Uint8Array> }[];
  unitOf: UnitOfKey;
  /** Returns the source of an image. */
  sourceOf: (key: string) => string;
}

export interface ReadInventoryOptions {
  toUnit: ToUnit;
  notes: InputNotes;
  /** Called with what was found, once all is read. */
  onMessage: (text: string) => void;
  signal: AbortSignal;
}

/**
 * Reads the units of an inventory: all of it first, since an inventory is in no order, and then a unit after the other. A unit that is refused
 * has the row of its first image as its line.
 *
 * @throws CommandFailure if a file cannot be read, or is not as the manifest says
 */
export async function* readInventory(
  inventory: Inventory,
  { toUnit, notes, onMessage, signal }: ReadInventoryOptions,
): AsyncGenerator<ReadUnit | RefusedLine, void> {
  const groups = createImageGroups();
  try {
    const { rows, images } = await groupImages(inventory, groups, notes, signal);
    onMessage(`${counted(rows, 'object')} in the inventory, ${counted(images, 'image')} of units among them`);
    const bytes = inventory.files.reduce((sum, file) => sum + file.bytes, 0) / Math.max(images, 1);
    for await (const group of groups.read()) {
      if (signal.aborted) return;
      yield toEntry(group, { toUnit, notes, sourceOf: inventory.sourceOf, bytesEach: bytes });
    }
  } finally {
    await groups.close();
  }
}

async function groupImages(
  { columns, files, unitOf }: Inventory,
  groups: ImageGroups,
  notes: InputNotes,
  signal: AbortSignal,
): Promise<{ rows: number; images: number }> {
  let [rows, images] = [0, 0];
  for (const file of files) {
    for await (const batch of readListedImages(file.chunks(signal), { columns, firstRow: rows + 1, notes })) {
      for (const { key, row } of batch.images) {
        const match = unitOf(key);
        if (match) await groups.add({ ...match, key, row });
        else notes.add('an object whose key --unit-of does not match: left out', row, key);
        images += Number(match !== undefined);
      }
      rows += batch.rows;
    }
  }
  return { rows, images };
}

interface ToEntryOptions extends Pick<ReadInventoryOptions, 'toUnit' | 'notes'>, Pick<Inventory, 'sourceOf'> {
  bytesEach: number;
}

function toEntry(group: ImageGroup, options: ToEntryOptions): ReadUnit | RefusedLine {
  const { toUnit, notes, sourceOf, bytesEach } = options;
  const line = Math.min(...group.map(({ row }) => row));
  const [{ id, group: unitGroup }] = group;
  try {
    const value = {
      id,
      images: namedSources(group, sourceOf),
      ...(unitGroup !== undefined && { group: unitGroup }),
    };
    const unit = toUnit(value, (text) => notes.add(text, line));
    return { line, unit, bytes: bytesEach * group.length };
  } catch (error) {
    return { line, unit: id, state: 'refused', detail: messageOf(error) };
  }
}

function namedSources(group: readonly GroupedImage[], sourceOf: Inventory['sourceOf']) {
  const images: Record<string, string> = Object.create(null);
  for (const { name, key } of group) images[name in images ? key : name] = sourceOf(key);
  return images;
}
