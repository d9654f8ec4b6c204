import type { Dirent, Stats } from 'node:fs';
import { opendir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DEAD_LETTER_PREFIX,
  EVENT_PREFIX,
  GROUP_PREFIX,
  LAST_ATTEMPT_PREFIX,
  LEASE_PREFIX,
  MANIFEST_NAME,
  PACK_PREFIX,
  QUEUE_PREFIX,
  SHARDS,
  STATE_PREFIX,
  SUBMISSION_PREFIX,
  TOMBSTONE_PREFIX,
  VARIANT_PREFIX,
} from '../protocol/keys.ts';
import { ignoreNotFound, statsOf } from './file-tree.ts';

/** What a file is, as far as it matters for whether it may be removed. */
export type FileKind = 'image' | 'manifest' | 'tombstone' | 'kept';

export interface WalkedFile {
  kind: FileKind;
  /** Its path in the folder. */
  key: string;
  /** What it takes on the disk. */
  bytes: number;
  /** When it was last read or written, in Unix milliseconds; to a day exactly, since a file system notes no more. */
  usedMs: number;
  /** Whether it is a manifest and nothing else of its unit is left. */
  isLastOfUnit: boolean;
}

export interface WalkOptions {
  root: string;
  /** Decides about each file: returns `undefined` if it stays, and resolves when it is removed. */
  visit: (file: WalkedFile) => Promise<void> | undefined;
  /** Awaited at each file and folder. */
  pace: () => Promise<void>;
}

/** The parts of a folder that are walked over one after the other: together all files of a store. */
export const PLACES: readonly string[] = [
  ...Array.from({ length: SHARDS }, (_, shard) => `${VARIANT_PREFIX}/${shard.toString(16).padStart(2, '0')}`),
  ...[TOMBSTONE_PREFIX, QUEUE_PREFIX, DEAD_LETTER_PREFIX, SUBMISSION_PREFIX, PACK_PREFIX, GROUP_PREFIX],
  ...[EVENT_PREFIX, STATE_PREFIX, LAST_ATTEMPT_PREFIX, LEASE_PREFIX],
];

/** Returns the part of the folder that a key is in. */
export function placeOf(key: string): string {
  return key.split('/', key.startsWith(`${VARIANT_PREFIX}/`) ? 2 : 1).join('/');
}

/**
 * Visits all files of a place, a unit's manifest after all else of the unit, and removes folders that are empty then. It holds no names in
 * memory but those of one unit: a folder may have millions.
 *
 * Folders are read and removed by asynchronous calls, since both may wait until what others write is on the disk: to read a folder notes the
 * time there. That took up to 350 ms beside programs that write.
 */
export async function walkPlace(place: string, options: WalkOptions): Promise<void> {
  await walkFolder(place, options);
}

/** Returns whether anything is left in the folder. */
async function walkFolder(folder: string, options: WalkOptions): Promise<boolean> {
  const { root, pace } = options;
  await pace();
  let hasManifest = false;
  let isLeft = false;
  for await (const entry of isOfUnit(folder) ? entriesAtOnce(root, folder) : entriesOneByOne(root, folder)) {
    if (entry.name === MANIFEST_NAME) hasManifest = true;
    else if (await walkEntry(folder, entry, options)) isLeft = true;
  }
  if (hasManifest && (await walkFile(`${folder}/${MANIFEST_NAME}`, !isLeft, options))) isLeft = true;
  // A put may have just stored something in it.
  if (!isLeft) await rmdir(join(root, folder)).catch(() => {});
  return isLeft;
}

/** Whether a folder has what belongs to one unit: so few names that they can be read at once, which costs a quarter. */
function isOfUnit(folder: string): boolean {
  return folder.startsWith(`${VARIANT_PREFIX}/`) && folder.split('/').length > 2;
}

async function* entriesAtOnce(root: string, folder: string): AsyncGenerator<Dirent, void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(ignoreNotFound);
  if (entries) yield* entries;
}

async function* entriesOneByOne(root: string, folder: string): AsyncGenerator<Dirent, void> {
  const entries = await opendir(join(root, folder), { bufferSize: 256 }).catch(ignoreNotFound);
  if (entries) yield* entries;
}

async function walkEntry(folder: string, entry: Dirent, options: WalkOptions): Promise<boolean> {
  const key = `${folder}/${entry.name}`;
  return entry.isDirectory() ? await walkFolder(key, options) : await walkFile(key, false, options);
}

async function walkFile(
  key: string,
  isLastOfUnit: boolean,
  { root, visit, pace }: WalkOptions,
): Promise<boolean> {
  await pace();
  const stats = statsOf(join(root, key));
  if (!stats) return false;
  const file = { kind: kindOf(key), key, bytes: bytesOf(stats), usedMs: usedMsOf(stats), isLastOfUnit };
  const removing = visit(file);
  await removing;
  return removing === undefined;
}

function kindOf(key: string): FileKind {
  if (key.startsWith(`${TOMBSTONE_PREFIX}/`)) return 'tombstone';
  if (!key.startsWith(`${VARIANT_PREFIX}/`)) return 'kept';
  return key.endsWith(`/${MANIFEST_NAME}`) ? 'manifest' : 'image';
}

/** Returns what a file takes on the disk. */
export function bytesOf({ size, blocks }: Pick<Stats, 'size' | 'blocks'>): number {
  return Math.max(size, blocks * 512);
}

/** How exactly it is noted when a file was last used: a hit costs a write to the disk once in this time at most. */
export const USE_STEP_MS = 86_400_000;

/** Returns when a file was last read or written, in Unix milliseconds; it may have been used up to `USE_STEP_MS` later. */
export function usedMsOf({ atimeMs, mtimeMs }: Pick<Stats, 'atimeMs' | 'mtimeMs'>): number {
  return Math.max(atimeMs, mtimeMs);
}
