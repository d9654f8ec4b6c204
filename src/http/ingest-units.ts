import { EdgepressError } from '../protocol/error.ts';
import type { UnitQueue } from '../queue/queue.ts';
import { ingestUnits } from '../unit/ingest.ts';
import type { RefusedLine } from '../unit/outcome.ts';
import { parseUnit, type UnitDefaults } from '../unit/parse-unit.ts';
import { readUnits } from '../unit/read-units.ts';
import type { Units } from '../unit/units.ts';
import { asDependencyFailure } from './responses.ts';

export interface IngestNdjsonOptions {
  units: Pick<Units, 'submitBatch'>;
  queue: Pick<UnitQueue, 'send'>;
  defaults: UnitDefaults;
  /** Whether to try sources again that have a cached failure. */
  retry: boolean;
}

/** The response to `POST /units`. */
export interface IngestReport {
  /** Lines whose units are stored and queued. */
  accepted: number;
  /** Images of these units. */
  images: number;
  refusedCount: number;
  /** The first refused lines. */
  refused: RefusedLine[];
}

/** Further refused lines are only counted: otherwise one request could fill the memory. */
const MAX_REFUSED_LISTED = 10_000;
/** In UTF-16 code units: one line can have a thousand errors. */
const MAX_DETAIL_LENGTH = 500;

/**
 * Submits units from NDJSON, no faster than they can be stored and queued.
 *
 * @throws EdgepressError `overloaded` if the store or the queue failed, so that not all units are safe
 */
export async function ingestNdjson(
  chunks: AsyncIterable<Uint8Array>,
  { units, queue, defaults, retry }: IngestNdjsonOptions,
): Promise<IngestReport> {
  const refused: RefusedLine[] = [];
  let refusedCount = 0;
  const onRefused = ({ line, state, detail }: RefusedLine) => {
    refusedCount++;
    if (refusedCount <= MAX_REFUSED_LISTED) refused.push({ line, state, detail: shorten(detail) });
  };
  const lines = readUnits(chunks, { toUnit: (value) => parseUnit(value, defaults) });
  try {
    const accepted = await ingestUnits(lines, { units, queue, retry, onRefused });
    return { accepted: accepted.units, images: accepted.images, refusedCount, refused };
  } catch (error) {
    const detail =
      'Not all units could be stored, because the store or the queue failed: send them all again';
    throw asDependencyFailure(error, `${detail}, which is safe: variants that exist are not made again`);
  }
}

/**
 * Returns whether a query asks to try broken sources again: `retry=1`.
 *
 * @throws EdgepressError `bad_request` if it contains anything else
 */
export function parseRetry(query: string): boolean {
  const [first = '', ...others] = query.split('&');
  if (others.length === 0 && (first === '' || first === 'retry=1')) return first !== '';
  const wrong = first === 'retry=1' ? others[0] : first;
  throw new EdgepressError('bad_request', 'The only query parameter here is `retry=1`, at most once', {
    parameter: wrong?.split('=', 1)[0] ?? '',
  });
}

function shorten(detail: string): string {
  return detail.length > MAX_DETAIL_LENGTH ? `${detail.slice(0, MAX_DETAIL_LENGTH)}…` : detail;
}
