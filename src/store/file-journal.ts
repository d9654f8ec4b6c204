import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs';

/**
 * What all processes have stored and removed in a folder lately, in a file that each of them appends to. So the one that keeps the folder
 * within its limits knows of the others' files before it comes to them. It may lose lines: the next walk over the folder corrects that.
 */
export interface FileJournal {
  /**
   * Notes a change, which others learn within seconds.
   *
   * @param place - the part of the folder that is walked over in one go: see `placeOf`
   * @param files - how many files there are more
   * @param bytes - how many bytes there are more
   */
  note(place: string, files: number, bytes: number): void;
  /** Tells the other processes of a change, and not this one. */
  tell(place: string, files: number, bytes: number): void;
  /** Returns the changes since the last call that this process noted or others told; at the first call, none of others. */
  read(): Change[];
}

export interface Change {
  place: string;
  files: number;
  bytes: number;
}

const FLUSH_DELAY_MS = 2000;
/** Then it begins anew: a process that reads it looks every few seconds. */
const MAX_BYTES = 1_048_576;

export function createFileJournal(path: string): FileJournal {
  const id = randomBytes(6).toString('hex');
  let own = new Map<string, Change>();
  let untold = new Map<string, Change>();
  let timer: NodeJS.Timeout | undefined;
  let offset: number | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const lines = [...untold.values()].map(
      (change) => `${id} ${change.place} ${change.files} ${change.bytes}\n`,
    );
    untold = new Map();
    if (lines.length === 0) return;
    try {
      if (sizeOf(path) > MAX_BYTES) truncateSync(path);
      // One call: lines of several processes do not mix.
      appendFileSync(path, lines.join(''));
    } catch {
      // The disk is full, or another process has just removed the file.
    }
  }

  function tell(place: string, files: number, bytes: number): void {
    addChange(untold, place, files, bytes);
    timer ??= setTimeout(flush, FLUSH_DELAY_MS).unref();
  }

  function readOthers(): Change[] {
    try {
      const size = sizeOf(path);
      const start = offset ?? size;
      // Smaller than before: it began anew.
      const text = start === size ? '' : readFileSync(path, 'latin1').slice(start < size ? start : 0, size);
      offset = size;
      return parseChanges(text, id);
    } catch {
      // The process has no handles left, or another one has just removed the file. The next call reads it.
      return [];
    }
  }

  return {
    tell,
    note(place, files, bytes) {
      addChange(own, place, files, bytes);
      tell(place, files, bytes);
    },
    read() {
      const changes = [...own.values(), ...readOthers()];
      own = new Map();
      return changes;
    },
  };
}

function addChange(changes: Map<string, Change>, place: string, files: number, bytes: number): void {
  const change = changes.get(place) ?? { place, files: 0, bytes: 0 };
  change.files += files;
  change.bytes += bytes;
  changes.set(place, change);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

const LINE = /^(\S+) (\S+) (-?\d+) (-?\d+)$/;

function parseChanges(text: string, ownId: string): Change[] {
  return text.split('\n').flatMap((line) => {
    const [, id, place, files, bytes] = LINE.exec(line) ?? [];
    if (id === ownId || place === undefined) return [];
    return [{ place, files: Number(files), bytes: Number(bytes) }];
  });
}
