import { parse } from 'csv-parse/sync';
import { InputFault } from './input-fault.ts';
import { peekChunks } from './peek-chunks.ts';

/** How units are written in an input. */
export type InputKind =
  /** A unit a line, as JSON. */
  | { format: 'lines' }
  /** An array of units, or units one after the other, over any lines. */
  | { format: 'values' }
  /** A row a unit, or a row an image, under a header. */
  | { format: 'csv'; delimiter: string };

/** What the name or the content type of an input says; `undefined`: nothing. */
export type DeclaredFormat = 'csv' | 'json' | undefined;

/** Enough for the first line and the beginning of the second, unless the first is a unit with very many images. */
const HEAD_BYTES = 2 ** 14;
const SPACE = 0x20;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;
const DELIMITERS = [',', ';', '\t', '|'];
/** How spreadsheets say which separator they have used. */
const SEPARATOR_LINE = /^sep=(.)\r?$/i;
/** The names of the column with the id, in lower case. */
export const ID_COLUMNS = ['id', 'unit_id', '_unit_id', 'unit'];

const OTHER_TYPES: readonly (readonly [magic: string, name: string])[] = [
  ['PK\x03\x04', 'a ZIP archive or an Excel workbook: save it as CSV, or pack it with gzip'],
  ['BZh', 'compressed with bzip2: use gzip or zstd'],
  ['\xfd7zXZ', 'compressed with xz: use gzip or zstd'],
  ['7z\xbc\xaf', 'a 7z archive: use gzip or zstd'],
  ['PAR1', 'a Parquet file: export it as NDJSON or CSV'],
  ['Obj\x01', 'an Avro file: export it as NDJSON or CSV'],
  ['%PDF', 'a PDF'],
  ['\x89PNG', 'an image'],
  ['\xff\xd8\xff', 'an image'],
  ['GIF8', 'an image'],
  ['RIFF', 'an image'],
  ['<', 'XML or HTML: send NDJSON or CSV'],
];

/**
 * Finds how the units of an input are written, by its first bytes.
 *
 * @param hasOtherId - whether the id may be in a column of any name
 * @returns the kind, and the whole input, which can be read once
 * @throws InputFault if it is of a type of which no units can be read
 */
export async function findInputKind(
  chunks: AsyncIterable<Uint8Array>,
  declared: DeclaredFormat,
  hasOtherId: boolean,
): Promise<{ kind: InputKind; all: AsyncIterable<Uint8Array> }> {
  const { head, all } = await peekChunks(chunks, HEAD_BYTES, isEnough);
  const other = OTHER_TYPES.find(([magic]) => head.toString('latin1').startsWith(magic));
  if (other) throw new InputFault(`it is ${other[1]}`, { isOtherType: true });
  const start = head.toString().trimStart();
  if (start.startsWith('[') || isObjectOverLines(start)) return { kind: { format: 'values' }, all };
  if (!start.startsWith('{') && hasReturnsOnly(head))
    return kindOfLines(start.replaceAll('\r', '\n'), returnsToLineFeeds(all), declared, hasOtherId);
  return kindOfLines(start, all, declared, hasOtherId);
}

function kindOfLines(
  text: string,
  all: AsyncIterable<Uint8Array>,
  declared: DeclaredFormat,
  hasOtherId: boolean,
): { kind: InputKind; all: AsyncIterable<Uint8Array> } {
  const delimiter = declared === 'json' || text.startsWith('{') ? undefined : findDelimiter(text);
  if (delimiter === undefined) {
    if (declared === 'csv' && text !== '' && !text.startsWith('{')) throw noHeader(text);
    return { kind: { format: 'lines' }, all };
  }
  const isCsv = declared === 'csv' || hasOtherId || hasIdColumn(text, delimiter) || hasUrlRow(text);
  return { kind: isCsv ? { format: 'csv', delimiter } : { format: 'lines' }, all };
}

/** Whether lines end with a carriage return alone, as in Excel's "CSV (Macintosh)". */
function hasReturnsOnly(head: Buffer): boolean {
  return head.includes('\r') && !head.includes('\n');
}

async function* returnsToLineFeeds(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const [LINE_FEED, RETURN] = [0x0a, 0x0d];
  for await (const chunk of chunks) yield chunk.map((byte) => (byte === RETURN ? LINE_FEED : byte));
}

/** Whether it is an array, a line with an object, or two lines that are not blank. More may come much later, as through a pipe. */
function isEnough(head: Buffer): boolean {
  const start = firstVisible(head, 0);
  if (head[start] === OPEN_LIST) return true;
  const first = head.indexOf('\n', start);
  if (first < 0) return false;
  if (head[start] === OPEN_OBJECT && isJson(head.toString('utf8', start, first))) return true;
  return head.indexOf('\n', firstVisible(head, first)) >= 0;
}

function firstVisible(head: Buffer, start: number): number {
  let at = start;
  while (at < head.length && (head[at] ?? 0) <= SPACE) at++;
  return at;
}

/** Whether an object goes on in the next line. A line that was cut off does not: the next one begins another object. */
function isObjectOverLines(text: string): boolean {
  const [, first, next] = /^(\{[^\n]*)\n\s*(\S)/.exec(text) ?? [];
  return first !== undefined && next !== '{' && !isJson(first);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Returns the delimiter that the header has most of; `undefined` if it has none. */
function findDelimiter(text: string): string | undefined {
  const [header = ''] = text.split('\n', 1);
  const separator = SEPARATOR_LINE.exec(header)?.[1];
  if (separator !== undefined) return separator;
  const unquoted = header.replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => ({ delimiter, count: unquoted.split(delimiter).length - 1 }));
  const most = counts.reduce((best, next) => (next.count > best.count ? next : best));
  return most.count > 0 ? most.delimiter : undefined;
}

function hasIdColumn(text: string, delimiter: string): boolean {
  const [first = '', second = ''] = text.split('\n', 2);
  const header = SEPARATOR_LINE.test(first) ? second : first;
  return readHeader(header, delimiter).some((name) => ID_COLUMNS.includes(name.toLowerCase()));
}

/** Whether the second line has URLs and is no JSON: then the first one is a header, if not a good one. */
function hasUrlRow(text: string): boolean {
  const [, second = ''] = text.split('\n', 2);
  return second.includes('://') && !second.trimStart().startsWith('{');
}

/** Returns the names of the columns; none if the line cannot be read. */
function readHeader(line: string, delimiter: string): string[] {
  try {
    return parse(line.trim(), { delimiter, trim: true, relax_quotes: true })[0] ?? [];
  } catch {
    return [];
  }
}

/** Returns the separator that the line says; `undefined` if it is another line. */
export function separatorOf(line: string): string | undefined {
  return SEPARATOR_LINE.exec(line)?.[1];
}

function noHeader(text: string): InputFault {
  const [line = ''] = text.split('\n', 1);
  return new InputFault(
    `its first line has to be the header, such as \`id,image_url\`, and is \`${line.slice(0, 60).trim()}\``,
  );
}
