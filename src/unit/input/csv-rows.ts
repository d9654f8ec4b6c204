import { setImmediate as nextTurn } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { type Line, readLineBatches } from '../read-lines.ts';

/** A row of CSV. */
export type CsvRow = {
  /** The line on which it begins, counted from 1. */
  line: number;
  /** The bytes of the input up to its end, and from the end of the row before. */
  bytes: number;
} & ({ cells: readonly string[] } | { problem: string });

type TextLine = Line & { text: string };

/** Of lines that are parsed at a stretch: about a millisecond. One by one, they would take ten times as long. */
const BATCH_LINES = 50;
const BATCH_BYTES = 2 ** 15;
/** csv-parse takes a tenth of a second for a megabyte. */
const MAX_LINE_BYTES = 2 ** 15;
/** A cell with more lines is one whose quote is not closed. */
const MAX_ROW_LINES = 100;

/**
 * Reads the rows of CSV (RFC 4180), with any line breaks. A quote that is not closed costs its own line only: csv-parse gets rows that are
 * complete, and those that it does not take are tried line by line.
 *
 * @param delimiter - between the cells
 */
export async function* readCsvRows(
  chunks: AsyncIterable<Uint8Array>,
  delimiter: string,
): AsyncGenerator<CsvRow[], void> {
  const parseRows = (text: string) =>
    parse(text, {
      ...{ delimiter, record_delimiter: '\n', trim: true },
      ...{ relax_quotes: true, relax_column_count: true },
    });
  const collector = createCollector();
  for await (const lines of readLineBatches(chunks, MAX_LINE_BYTES)) {
    for (const batch of divide(lines)) {
      await nextTurn();
      yield* collector.add(batch).map(toRows);
    }
  }
  yield* collector.end().map(toRows);

  function toRows(part: Part): CsvRow[] {
    return 'problem' in part ? [part] : parseBatch(part.rows, parseRows);
  }
}

/** Divides lines into batches that are parsed at a stretch. */
function divide(lines: readonly Line[]): readonly (readonly Line[])[] {
  const batches: Line[][] = [];
  let bytes = 0;
  for (const line of lines) {
    bytes += line.bytes;
    const last = batches.at(-1);
    if (last && last.length < BATCH_LINES && bytes <= BATCH_BYTES) last.push(line);
    else {
      batches.push([line]);
      bytes = line.bytes;
    }
  }
  return batches;
}

/** Rows that are complete, or a line that cannot be read. */
type Part = { rows: TextLine[][] } | (Line & { problem: string });

/** Collects lines to rows: a line break within quotes belongs to a cell. */
function createCollector() {
  let row: TextLine[] = [];
  let isInQuotes = false;
  let bytes = 0;
  function endRow(rows: TextLine[][]): void {
    if (row.length > 0) rows.push(row);
    [row, isInQuotes, bytes] = [[], false, 0];
  }
  return {
    add(lines: readonly Line[]): Part[] {
      const parts: Part[] = [];
      let rows: TextLine[][] = [];
      for (const line of lines) {
        if ('problem' in line) {
          endRow(rows);
          parts.push({ rows }, line);
          rows = [];
          continue;
        }
        row.push(line);
        bytes += line.bytes;
        if (hasOddQuotes(line.text)) isInQuotes = !isInQuotes;
        if (!isInQuotes || row.length === MAX_ROW_LINES || bytes > BATCH_BYTES) endRow(rows);
      }
      return [...parts, { rows }];
    },
    end(): Part[] {
      const rows: TextLine[][] = [];
      endRow(rows);
      return [{ rows }];
    },
  };
}

function hasOddQuotes(text: string): boolean {
  let isOdd = false;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) isOdd = !isOdd;
  return isOdd;
}

type ParseRows = (text: string) => string[][];

function parseBatch(rows: readonly TextLine[][], parseRows: ParseRows): CsvRow[] {
  const parsed = attempt(() => parseRows(rows.map(textOf).join('\n')));
  if (!(parsed instanceof Error) && parsed.length === rows.length)
    return rows.map((lines, index) => ({ ...placeOf(lines), cells: parsed[index] ?? [] }));
  return rows.flatMap((lines) => {
    const alone = attempt(() => parseRows(textOf(lines)));
    if (!(alone instanceof Error) && alone.length === 1) return { ...placeOf(lines), cells: alone[0] ?? [] };
    return lines.map((line) => parseLine(line, parseRows));
  });
}

function parseLine(line: TextLine, parseRows: ParseRows): CsvRow {
  const parsed = attempt(() => parseRows(line.text));
  if (!(parsed instanceof Error)) return { ...placeOf([line]), cells: parsed[0] ?? [] };
  const isOpen = (parsed as Error & { code?: string }).code === 'CSV_QUOTE_NOT_CLOSED';
  const problem = isOpen
    ? 'not CSV: a quote is not closed'
    : 'not CSV: its quotes are not as they have to be';
  return { ...placeOf([line]), problem };
}

function placeOf(lines: readonly TextLine[]): { line: number; bytes: number } {
  return { line: lines[0]?.line ?? 0, bytes: lines.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function textOf(lines: readonly TextLine[]): string {
  return lines.map(({ text }) => text).join('\n');
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error as Error;
  }
}
