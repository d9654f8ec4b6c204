import { EdgepressError } from '../protocol/error.ts';
import type { UnitQueue } from '../queue/queue.ts';
import { ingestUnits } from '../unit/ingest.ts';
import { InputFault } from '../unit/input/input-fault.ts';
import type { DeclaredFormat } from '../unit/input/input-kind.ts';
import { createInputNotes } from '../unit/input/input-notes.ts';
import type { RefusedLine } from '../unit/outcome.ts';
import { parseUnit, type UnitDefaults } from '../unit/parse-unit.ts';
import { readUnits, type ToUnit } from '../unit/read-units.ts';
import type { Units } from '../unit/units.ts';
import { asDependencyFailure } from './responses.ts';
import { unreadableBody, WAY_OUT } from './unit-body.ts';

export interface IngestBodyOptions {
  units: Pick<Units, 'submitBatch'>;
  queue: Pick<UnitQueue, 'send'>;
  defaults: UnitDefaults;
  /** Whether to try sources again that have a cached failure. */
  retry: boolean;
  /** What the content type of the body says. */
  declared: DeclaredFormat;
}

/** The response to `POST /units`. */
export interface IngestReport {
  /** Units that are stored and queued. */
  accepted: number;
  /** Images of these units. */
  images: number;
  refusedCount: number;
  /** The first refused lines. */
  refused: RefusedLine[];
  /** What else is to be said of the input, such as fields that were ignored. Absent: nothing. */
  notes?: string[];
}

/** Further refused lines are only counted: otherwise one request could fill the memory. */
const MAX_REFUSED_LISTED = 10_000;
/** Input that begins with so many lines, none of which is a unit, is of another kind: to refuse a million takes seconds. */
const MAX_REFUSED_AT_FIRST = 100_000;
/** In UTF-16 code units: one line can have a thousand errors. */
const MAX_DETAIL_LENGTH = 500;

/**
 * Submits units from a body in any form that `readUnits` reads, no faster than they can be stored and queued.
 *
 * @throws EdgepressError `overloaded` if the store or the queue failed, so that not all units are safe; `bad_request` or
 *   `unsupported_media_type` if no unit can be read from it at all, or none of its first 100,000 lines is one
 */
export async function ingestBody(
  chunks: AsyncIterable<Uint8Array>,
  { units, queue, defaults, retry, declared }: IngestBodyOptions,
): Promise<IngestReport> {
  const refused: RefusedLine[] = [];
  let refusedCount = 0;
  let hasUnits = false;
  const onRefused = (line: RefusedLine) => {
    refusedCount++;
    if (refusedCount <= MAX_REFUSED_LISTED) refused.push({ ...line, detail: shorten(line.detail) });
    if (refusedCount === MAX_REFUSED_AT_FIRST && !hasUnits)
      throw nothingTaken({ accepted: 0, images: 0, refusedCount, refused }, '; the rest was not read');
  };
  const notes = createInputNotes();
  const toUnit: ToUnit = (value, note) => {
    const unit = parseUnit(value, defaults, note);
    hasUnits = true;
    return unit;
  };
  try {
    const lines = readUnits(chunks, { toUnit, notes, declared });
    const accepted = await ingestUnits(lines, { units, queue, retry, onRefused });
    const noted = notes.list();
    const report = { accepted: accepted.units, images: accepted.images, refusedCount, refused };
    return { ...report, ...(noted.length > 0 && { notes: noted }) };
  } catch (error) {
    if (error instanceof InputFault) throw unreadableBody(error);
    const detail =
      'Not all units could be stored, because the store or the queue failed: send them all again';
    throw asDependencyFailure(error, `${detail}, which is safe: variants that exist are not made again`);
  }
}

/**
 * Returns the error for a body of which no unit could be taken. Its problem document also has the report.
 *
 * @param more - what else is to be said of the refused lines
 */
export function nothingTaken(report: IngestReport, more = ''): EdgepressError {
  const { refused, refusedCount } = report;
  const [first] = refused;
  const others = refusedCount > 1 ? `, and ${refusedCount - 1} more lines were refused${more}` : '';
  const reason = first ? `line ${first.line}: ${first.detail}${others}` : 'it is empty';
  const detail = `No unit of the body could be taken: ${reason}. ${WAY_OUT}`;
  return new EdgepressError('bad_request', detail, { members: report });
}

/**
 * Reads a query that may only contain a flag, as in `retry=1`.
 *
 * @throws EdgepressError `bad_request` if it contains anything else
 */
export function parseFlag(name: string, query: string): boolean {
  const flag = `${name}=1`;
  const [first = '', ...others] = query.split('&');
  if (others.length === 0 && (first === '' || first === flag)) return first !== '';
  const wrong = first === flag ? others[0] : first;
  throw new EdgepressError('bad_request', `The only query parameter here is \`${flag}\`, at most once`, {
    parameter: wrong?.split('=', 1)[0] ?? '',
  });
}

function shorten(detail: string): string {
  return detail.length > MAX_DETAIL_LENGTH ? `${detail.slice(0, MAX_DETAIL_LENGTH)}…` : detail;
}
