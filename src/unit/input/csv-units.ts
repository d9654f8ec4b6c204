import { mayNameClient } from '../client-profiles.ts';
import { type CsvRow, readCsvRows } from './csv-rows.ts';
import { InputFault } from './input-fault.ts';
import { ID_COLUMNS, separatorOf } from './input-kind.ts';
import type { InputNotes } from './input-notes.ts';
import { createFieldCheck } from './unknown-fields.ts';

/** A row as the JSON of a unit, or why it is none. */
export type CsvUnit = { line: number; bytes: number; id?: string } & (
  | { value: object }
  | { problem: string }
);

/** Columns whose values are images even if they are no URLs: those are then reported as broken. */
const IMAGE_COLUMN = /^(images?|img|photos?|pictures?|sources?|src)([ _-]?urls?)?$|^urls?$/i;
/** A space cannot be in a URL, and `|` is not. */
const URL_SEPARATOR = /[\s|]+(?=[a-z][a-z0-9+.-]*:\/\/)/i;
const MAX_SHOWN_COLUMNS = 20;
const URL_START = /^[a-z][a-z0-9+.-]*:\/\//i;
/** Columns with other fields of a unit: lists of words, numbers, or one word. */
const LIST_COLUMNS = ['widths', 'formats', 'tiers', 'for'];
const OPTION_COLUMNS = [...LIST_COLUMNS, 'maxBytes', 'group'];
const checkColumn = createFieldCheck(OPTION_COLUMNS);

interface Column {
  /** As it was sent, without spaces around it. */
  name: string;
  role: 'id' | 'option' | 'image' | 'other';
  /** The field of an option. */
  field: string;
}

/**
 * Reads units from CSV with a header. A column named `id` has the ids; columns named `widths`, `formats`, `tiers`, `for`, `maxBytes` and `group`
 * have these fields; every other cell with a URL is an image with the name of its column. Cells that are not used are noted.
 *
 * @param options.keepsCells - whether the values also have the cells, by the names of their columns
 * @throws InputFault if there is no column with an id, or the name of one is misspelt
 */
export async function* readCsvUnits(
  chunks: AsyncIterable<Uint8Array>,
  { delimiter, notes, keepsCells }: { delimiter: string; notes: InputNotes; keepsCells: boolean },
): AsyncGenerator<CsvUnit[], void> {
  let readRow: ((row: CellRow) => CsvUnit[]) | undefined;
  function toUnits(row: CsvRow): CsvUnit[] {
    if ('problem' in row) {
      if (readRow) return [row];
      throw new InputFault(`its header (line ${row.line}) cannot be read: ${row.problem}`);
    }
    if (readRow) return isBlank(row) ? [] : readRow(row);
    // Some spreadsheets say their separator in a line before the header.
    if (separatorOf(row.cells.join(delimiter)) !== undefined) return [];
    readRow = createRowReader(readColumns(row.cells, notes, keepsCells), notes, keepsCells);
    return [];
  }
  for await (const rows of readCsvRows(chunks, delimiter)) yield rows.flatMap(toUnits);
}

/** Excel writes rows of separators alone after the last one. */
function isBlank({ cells }: CellRow): boolean {
  return cells.every((cell) => cell === '');
}

function readColumns(header: readonly string[], notes: InputNotes, keepsCells: boolean): Column[] {
  const idName = ID_COLUMNS.find((id) => header.some((name) => name.toLowerCase() === id));
  if (idName === undefined && !keepsCells) {
    const names = header.map((name) => `\`${name.slice(0, 60)}\``).slice(0, MAX_SHOWN_COLUMNS);
    throw new InputFault(`its header has no column \`id\`: it has ${names.join(', ')}`);
  }
  return header.map((name) => {
    const lower = name.toLowerCase();
    if (lower === idName) return { name, role: 'id', field: 'id' };
    const option = OPTION_COLUMNS.find((field) => field.toLowerCase() === lower);
    if (option !== undefined) return { name, role: 'option', field: option };
    if (IMAGE_COLUMN.test(name)) return { name, role: 'image', field: name };
    checkName(name, notes);
    return { name, role: 'other', field: name };
  });
}

function checkName(name: string, notes: InputNotes): void {
  const { meant, isMisspelt } = checkColumn(name);
  if (meant === undefined) return;
  if (isMisspelt) throw new InputFault(`it has a column \`${name}\`: did you mean \`${meant}\`?`);
  notes.add(`the column \`${name}\` is not one of a unit: did you mean \`${meant}\`?`, 1);
}

const NO_OPTIONS: Readonly<Record<string, unknown>> = {};

/** A row whose cells have been read. */
type CellRow = CsvRow & { cells: readonly string[] };

/** Returns a function that makes the JSON of a unit of a row. */
function createRowReader(columns: readonly Column[], notes: InputNotes, keepsCells: boolean) {
  const optionsOf = createOptionReader(columns, notes);
  const readImages = createImageReader(columns, notes);
  const idAt = columns.findIndex(({ role }) => role === 'id');
  return (row: CellRow): CsvUnit[] => {
    const { line, bytes, cells } = row;
    if (cells.length > columns.length)
      notes.add('a row has more cells than the header: they are ignored', line);
    const id = cells[idAt];
    const place = { line, bytes, ...(id !== undefined && { id }) };
    const images = readImages(row);
    if ('problem' in images && !keepsCells) return [{ ...place, ...images }];
    const all = keepsCells && Object.fromEntries(columns.map(({ name }, at) => [name, cells[at] ?? '']));
    const value = {
      ...all,
      ...(id !== undefined && { id }),
      ...optionsOf(row),
    };
    return [{ ...place, value: { ...value, ...images } }];
  };
}

/** Returns a function that finds the images of a row: of each cell that has URLs, and of each column that is one of images. */
function createImageReader(columns: readonly Column[], notes: InputNotes) {
  /** Columns that have had a URL. */
  const withUrls = new Set<Column>();
  const isOfImages = (column: Column) => column.role === 'image' || withUrls.has(column);

  function sourcesIn(column: Column, cell: string, line: number): string[] {
    if (URL_START.test(cell)) {
      withUrls.add(column);
      return cell.split(URL_SEPARATOR);
    }
    if (cell !== '' && column.role === 'image') return [cell];
    if (cell !== '') notes.add(`the column \`${column.name}\` has no URL and is ignored`, line);
    else if (isOfImages(column)) notes.add(`the column \`${column.name}\` is empty`, line);
    return [];
  }

  return ({ cells, line }: CellRow): { images: object } | { problem: string } => {
    const images: Record<string, string> = Object.create(null);
    const taken = new Map<string, number>();
    for (const [index, column] of columns.entries()) {
      if (column.role === 'id' || column.role === 'option') continue;
      for (const source of sourcesIn(column, cells[index] ?? '', line))
        images[freeName(images, taken, column.name || 'image')] = source;
    }
    if (Object.keys(images).length > 0) return { images };
    return { problem: noImages(columns.filter(isOfImages)) };
  };
}

/** Returns a name that no image of the unit has yet. */
function freeName(
  images: Readonly<Record<string, string>>,
  taken: Map<string, number>,
  name: string,
): string {
  const number = (taken.get(name) ?? 0) + 1;
  taken.set(name, number);
  const free = number === 1 ? name : `${name} ${number}`;
  return free in images ? freeName(images, taken, name) : free;
}

function noImages(columns: readonly Column[]): string {
  const names = columns.slice(0, MAX_SHOWN_COLUMNS).map(({ name }) => `\`${name.slice(0, 60)}\``);
  if (names.length === 0) return 'none of its cells is a URL';
  return `it has no URL: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} empty`;
}

/**
 * Returns a function that reads the other fields of a unit in a row. `for` is a plain word, which data sets use for something else: until it
 * names a client, or nearly, the column is one of theirs.
 */
function createOptionReader(columns: readonly Column[], notes: InputNotes) {
  let isOfClients = false;
  function isForeign(field: string, value: unknown): boolean {
    if (field !== 'for' || isOfClients) return false;
    isOfClients = (value as string[]).some(mayNameClient);
    return !isOfClients;
  }
  const hasOptions = columns.some(({ role }) => role === 'option');
  return ({ cells, line }: CellRow): Record<string, unknown> => {
    if (!hasOptions) return NO_OPTIONS;
    const options = columns.flatMap(({ role, field, name }, index) => {
      const cell = cells[index] ?? '';
      if (role !== 'option' || cell === '') return [];
      const value = optionOf(field, cell);
      if (!isForeign(field, value)) return [[field, value]];
      notes.add(`the column \`${name}\` names no kind of client and is ignored`, line, cell.slice(0, 60));
      return [];
    });
    return Object.fromEntries(options);
  };
}

function optionOf(field: string, cell: string): unknown {
  const toNumber = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);
  if (!LIST_COLUMNS.includes(field)) return field === 'maxBytes' ? toNumber(cell) : cell;
  const words = cell.split(/[\s,;|]+/).filter((word) => word !== '');
  return field === 'widths' ? words.map(toNumber) : words;
}
