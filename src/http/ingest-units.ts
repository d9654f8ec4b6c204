import { EdgepressError } from '../protocol/error.ts';
import type { UnitQueue } from '../queue/queue.ts';
import { ingestUnits } from '../unit/ingest.ts';
import type { RefusedLine } from '../unit/outcome.ts';
import { readUnits } from '../unit/read-units.ts';
import { parseUnit, type UnitDefaults } from '../unit/unit.ts';
import type { Units } from '../unit/units.ts';
import { asDependencyFailure } from './refusals.ts';

export interface IngestNdjsonOptions {
  units: Pick<Units, 'accept'>;
  queue: Pick<UnitQueue, 'send'>;
  defaults: UnitDefaults;
  /** Whether what is remembered as broken is to be tried again. */
  retry: boolean;
}

/** The answer to `POST /units`. */
export interface IngestReport {
  /** Lines whose units are safe now, and will be prewarmed. */
  accepted: number;
  /** Of these. */
  images: number;
  refusedCount: number;
  /** The first of them, if they are very many. */
  refused: RefusedLine[];
}

/** Beyond it lines are only counted, or one request could fill the memory. */
const MAX_REFUSED_SHOWN = 10_000;
/** In UTF-16 units: a line can be wrong in a thousand places. */
const MAX_DETAIL_LENGTH = 500;

/**
 * Takes in units from NDJSON, as fast as they can be kept safe.
 *
 * @throws EdgepressError `overloaded`: not all could be kept
 */
export async function ingestNdjson(
  chunks: AsyncIterable<Uint8Array>,
  { units, queue, defaults, retry }: IngestNdjsonOptions,
): Promise<IngestReport> {
  const refused: RefusedLine[] = [];
  let refusedCount = 0;
  const refuse = ({ line, state, detail }: RefusedLine) => {
    refusedCount++;
    if (refusedCount <= MAX_REFUSED_SHOWN) refused.push({ line, state, detail: shorten(detail) });
  };
  const lines = readUnits(chunks, { toUnit: (value) => parseUnit(value, defaults) });
  try {
    const accepted = await ingestUnits(lines, { units, queue, retry, refuse });
    return { accepted: accepted.units, images: accepted.images, refusedCount, refused };
  } catch (error) {
    const detail = 'Not all units could be kept, since the store or the queue failed: send them all again';
    throw asDependencyFailure(error, `${detail}, which is safe, as what is there already is not made twice`);
  }
}

/**
 * Whether a query asks for what is broken to be tried again.
 *
 * @throws EdgepressError `bad_request` when it says anything else
 */
export function parseRetry(query: string): boolean {
  const [first = '', ...others] = query.split('&');
  if (others.length === 0 && (first === '' || first === 'retry=1')) return first !== '';
  const wrong = first === 'retry=1' ? others[0] : first;
  throw new EdgepressError('bad_request', 'The only thing that can be asked for here is `retry=1`, once', {
    parameter: wrong?.split('=', 1)[0] ?? '',
  });
}

function shorten(detail: string): string {
  return detail.length > MAX_DETAIL_LENGTH ? `${detail.slice(0, MAX_DETAIL_LENGTH)}…` : detail;
}
