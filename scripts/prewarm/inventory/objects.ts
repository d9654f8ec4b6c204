import { type CsvRow, readCsvRows } from '../../../src/unit/input/csv-rows.ts';
import type { InputNotes } from '../../../src/unit/input/input-notes.ts';
import { unpack } from '../../../src/unit/input/unpack.ts';
import { CommandFailure } from '../../cli/command.ts';

/** An object of an inventory that may be an image. */
export interface ListedImage {
  key: string;
  /** Its row, counted from 1 over all files of the inventory. */
  row: number;
}

/** What `prewarm` can decode, by the usual extensions. One that is wrong costs nothing: the bytes decide. */
const IMAGE_NAME = /\.(jpe?g|jpe|jfif|a?png|gif|webp|avif|hei[cf]|tiff?|bmp|dib|ico|jxl|jp2|j2k|psd|pdf)$/i;
/** A key with neither is often an image whose type is metadata of the object. */
const HAS_EXTENSION = /\.[^./]{1,10}$/;
/** Objects of these cannot be read before they are restored. */
const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/**
 * Reads the images of a file of an inventory: CSV without a header, whose keys are encoded as in a query string. What is left out is noted:
 * other types by their names, old versions, and what is in an archive.
 *
 * @param columns - of the file, from the manifest
 * @param firstRow - the row of its first object
 * @yields batches of images, and how many rows there were
 * @throws CommandFailure for rows that are not as the manifest says
 */
export async function* readListedImages(
  chunks: AsyncIterable<Uint8Array>,
  { columns, firstRow, notes }: { columns: readonly string[]; firstRow: number; notes: InputNotes },
): AsyncGenerator<{ images: ListedImage[]; rows: number }, void> {
  const toKey = createKeyReader(columns, notes);
  let row = firstRow;
  for await (const rows of readCsvRows(unpack(chunks), ',')) {
    const images: ListedImage[] = [];
    for (const cells of rows) {
      const key = toKey(cells, row);
      if (key !== undefined) images.push({ key, row });
      row++;
    }
    yield { images, rows: rows.length };
  }
}

/** Returns a function that gives the key of an image; `undefined` for what is left out. */
function createKeyReader(columns: readonly string[], notes: InputNotes) {
  const whyLeftOut = createCheck(columns);
  const keyAt = columns.indexOf('Key');
  return (csvRow: CsvRow, row: number): string | undefined => {
    if ('problem' in csvRow) throw new CommandFailure(`row ${row} of the inventory is ${csvRow.problem}`);
    const { cells } = csvRow;
    if (cells.length !== columns.length)
      throw new CommandFailure(
        `row ${row} of the inventory has ${cells.length} columns, and its manifest says ${columns.length}`,
      );
    const key = decodeKey(cells[keyAt] ?? '');
    const why = whyLeftOut(key, cells);
    if (why === undefined) return key;
    if (why !== IS_NO_OBJECT) notes.add(`${why}: left out`, row, key);
    return undefined;
  };
}

/** Nobody misses an old version, a delete marker, or the folders that the console makes. */
const IS_NO_OBJECT = '';

/** Returns a function that says why an object is left out; `undefined` if it may be an image. */
function createCheck(columns: readonly string[]) {
  const at = (name: string) => columns.indexOf(name);
  const [latestAt, markerAt, sizeAt] = [at('IsLatest'), at('IsDeleteMarker'), at('Size')];
  const [classAt, tierAt] = [at('StorageClass'), at('IntelligentTieringAccessTier')];
  return (key: string, cells: readonly string[]): string | undefined => {
    if (cells[markerAt] === 'true' || cells[latestAt] === 'false' || key.endsWith('/')) return IS_NO_OBJECT;
    if (!IMAGE_NAME.test(key) && HAS_EXTENSION.test(key)) return 'an object with the name of no image';
    if (cells[sizeAt] === '0') return 'an empty object';
    const isArchived = ARCHIVES.has(cells[classAt] ?? '') || /ARCHIVE/.test(cells[tierAt] ?? '');
    return isArchived ? 'an object in an archive, which has to be restored first' : undefined;
  };
}

/** As in a query string: `+` is a space. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    // A server that does not encode.
    return key;
  }
}
