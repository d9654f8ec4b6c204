import type { Logger } from 'pino';
import type { IngestProgress, ObjectName, ObjectToIngest } from '../queue/queue.ts';
import { type IngestOptions, ingestUnits } from './ingest.ts';
import { type IngestPrefix, mayIngest } from './ingest-prefix.ts';
import { createInputNotes, type InputNotes } from './input/input-notes.ts';
import type { RefusedLine } from './outcome.ts';
import { parseUnit, type UnitDefaults } from './parse-unit.ts';
import { DAMAGE, readUnits, type UnitLine } from './read-units.ts';

export interface IngestObjectOptions extends Pick<IngestOptions, 'units' | 'queue'> {
  /** The objects that may be read. */
  from: readonly IngestPrefix[];
  /** Opens an object. Reading it throws once the signal aborts. Resolves to `undefined` if there is none (any more). */
  open: (object: ObjectName) => Promise<OpenedObject | undefined>;
  /** Once it aborts, no more is read. */
  signal: AbortSignal;
  defaults: UnitDefaults;
  log: Logger;
}

export interface OpenedObject {
  /** Of the version that is read. */
  etag: string;
  chunks: AsyncIterable<Uint8Array>;
}

/** Lines that are refused are summed up in the log: a few of them, and the length of each in UTF-16 units. */
const MAX_LOGGED = 10;
const MAX_DETAIL_LENGTH = 500;

/** Ingests the units of an object; see {@link createIngestObject}. */
export type IngestObject = (object: ObjectToIngest) => Promise<IngestProgress | undefined>;

/**
 * Returns a function that ingests the units of an object, in any form that `readUnits` reads, and logs how many there were and the first
 * lines that were refused. Once the signal has stopped it, it resolves to how far it came; to go on from there, it reads what was done
 * again, without doing it.
 *
 * The function throws an Error that names the object. Its cause says what is wrong: the object may not be read, no unit could be taken, or
 * it is damaged (what came before the damage is ingested); or it is the error of S3, the store or the queue.
 */
export function createIngestObject(options: IngestObjectOptions): IngestObject {
  const { from, open, defaults, log, signal } = options;

  async function ingest(
    name: string,
    { etag, chunks }: OpenedObject,
    doneEntries: number,
  ): Promise<IngestProgress | undefined> {
    const refused = createRefusals();
    const inputNotes = createInputNotes();
    const lines = readUnits(chunks, {
      toUnit: (value, note) => parseUnit(value, defaults, note),
      notes: inputNotes,
    });
    const part = createPart(lines, doneEntries, signal);
    const { units, images } = await ingestUnits(part.lines(), {
      ...{ ...options, retry: false, onRefused: refused.add },
    });
    if (part.isStopped() && part.entries() <= doneEntries) throw signal.reason;
    logPart(log, {
      ...{ object: name, units, images, ...refused.summary() },
      ...(part.isStopped() ? { continued: true } : notesOf(inputNotes)),
    });
    if (part.isStopped()) return { etag, entries: part.entries() };
    assertTaken(refused, units > 0 || doneEntries > 0);
    return undefined;
  }

  return async ({ bucket, key, progress }) => {
    const name = `s3://${bucket}/${key}`;
    try {
      if (!mayIngest(from, { bucket, key })) throw new Error('INGEST_FROM does not name it');
      const opened = await open({ bucket, key });
      if (opened) return await ingest(name, opened, progress?.etag === opened.etag ? progress.entries : 0);
      // An event says that it was new: there is nothing to take from one that was deleted since.
      log.warn({ object: name }, 'an object was deleted before its units were read');
      return undefined;
    } catch (cause) {
      throw new Error(`${name} could not be ingested`, { cause });
    }
  };
}

function logPart(log: Logger, summary: { refusedCount: number }): void {
  log[summary.refusedCount > 0 ? 'warn' : 'info'](summary, 'the units of an object are on the queue');
}

function notesOf(inputNotes: InputNotes): { notes?: string[] } {
  const notes = inputNotes.list();
  return notes.length > 0 ? { notes } : {};
}

/** @throws Error if the input was damaged, or nothing of it was taken */
function assertTaken({ damage, first }: Refusals, isAnyTaken: boolean): void {
  if (damage() !== undefined) throw new Error(damage());
  if (isAnyTaken) return;
  throw new Error(
    first() === undefined ? 'it has no units: it is empty' : `no unit could be taken: ${first()}`,
  );
}

type Entry = UnitLine | RefusedLine;

function isDamage(entry: object): boolean {
  return 'detail' in entry && String(entry.detail).startsWith(DAMAGE);
}

/**
 * The part of an input that begins after so many entries, and ends when the signal aborts. That an input is damaged is said again in each: the
 * part before may have been stopped right then.
 */
function createPart(all: AsyncIterable<Entry>, doneEntries: number, signal: AbortSignal) {
  let [entries, isStopped] = [0, false];
  return {
    async *lines(): AsyncGenerator<Entry, void> {
      try {
        for await (const entry of all) {
          if (signal.aborted) break;
          entries++;
          if (entries > doneEntries || isDamage(entry)) yield entry;
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      isStopped = signal.aborted;
    },
    /** How many entries were read, those before the part included. */
    entries: () => entries,
    isStopped: () => isStopped,
  };
}

/** What is said of refused lines. */
type Refusals = ReturnType<typeof createRefusals>;

function createRefusals() {
  const shown: RefusedLine[] = [];
  let [refusedCount, damage] = [0, undefined as string | undefined];
  return {
    add({ detail, ...line }: RefusedLine) {
      refusedCount++;
      if (isDamage({ detail })) damage = detail;
      if (shown.length < MAX_LOGGED) shown.push({ ...line, detail: detail.slice(0, MAX_DETAIL_LENGTH) });
    },
    damage: () => damage,
    first: () => shown[0]?.detail,
    summary: () => ({ refusedCount, ...(refusedCount > 0 && { refused: shown }) }),
  };
}
