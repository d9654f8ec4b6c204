import type { Logger } from 'pino';
import type { ObjectName } from '../queue/queue.ts';
import { type IngestOptions, ingestUnits } from './ingest.ts';
import { type IngestPrefix, mayIngest } from './ingest-prefix.ts';
import { createInputNotes } from './input/input-notes.ts';
import type { RefusedLine } from './outcome.ts';
import { parseUnit, type UnitDefaults } from './parse-unit.ts';
import { DAMAGE, readUnits } from './read-units.ts';

export interface IngestObjectOptions extends Pick<IngestOptions, 'units' | 'queue'> {
  /** The objects that may be read. */
  from: readonly IngestPrefix[];
  /** Opens an object. Reading it throws once work is to be stopped. Resolves to `undefined` if there is none (any more). */
  open: (object: ObjectName) => Promise<AsyncIterable<Uint8Array> | undefined>;
  defaults: UnitDefaults;
  log: Logger;
}

/** Lines that are refused are summed up in the log: a few of them, and the length of each in UTF-16 units. */
const MAX_LOGGED = 10;
const MAX_DETAIL_LENGTH = 500;

/**
 * Returns a function that ingests the units of an object, in any form that `readUnits` reads, and logs how many there were and the first
 * lines that were refused.
 *
 * The function throws an Error that names the object. Its cause says what is wrong: the object may not be read, no unit could be taken, or
 * it is damaged (what came before the damage is ingested); or it is the error of S3, the store or the queue.
 */
export function createIngestObject(options: IngestObjectOptions): (object: ObjectName) => Promise<void> {
  const { from, open, defaults, log } = options;

  async function ingest(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const refused: RefusedLine[] = [];
    let refusedCount = 0;
    let damage: string | undefined;
    const onRefused = ({ detail, ...line }: RefusedLine) => {
      refusedCount++;
      if (detail.startsWith(DAMAGE)) damage = detail;
      if (refused.length < MAX_LOGGED) refused.push({ ...line, detail: detail.slice(0, MAX_DETAIL_LENGTH) });
    };
    const inputNotes = createInputNotes();
    const lines = readUnits(chunks, {
      toUnit: (value, note) => parseUnit(value, defaults, note),
      notes: inputNotes,
    });
    const { units, images } = await ingestUnits(lines, { ...options, retry: false, onRefused });
    const notes = inputNotes.list();
    const facts = { object: name, units, images, refusedCount };
    const summary = { ...facts, ...(refusedCount > 0 && { refused }), ...(notes.length > 0 && { notes }) };
    log[refusedCount > 0 ? 'warn' : 'info'](summary, 'the units of an object are on the queue');
    if (damage !== undefined) throw new Error(damage);
    if (units > 0) return;
    throw new Error(
      refused[0] ? `no unit could be taken: ${refused[0].detail}` : 'it has no units: it is empty',
    );
  }

  return async ({ bucket, key }) => {
    const name = `s3://${bucket}/${key}`;
    try {
      if (!mayIngest(from, { bucket, key })) throw new Error('INGEST_FROM does not name it');
      const chunks = await open({ bucket, key });
      // An event says that it was new: there is nothing to take from one that was deleted since.
      if (!chunks) log.warn({ object: name }, 'an object was deleted before its units were read');
      else await ingest(name, chunks);
    } catch (cause) {
      throw new Error(`${name} could not be ingested`, { cause });
    }
  };
}
