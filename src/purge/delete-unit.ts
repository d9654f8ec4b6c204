import type { UnitAddress } from '../protocol/keys.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import type { ListedObject, VariantStore } from '../store/store.ts';

export interface DeleteOptions {
  /** Only count what would be deleted. */
  dryRun?: boolean;
  /**
   * Read the start time of every object. By default that is saved for a variant or source record which the store's time shows to
   * be clearly older than the purge.
   */
  readAll?: boolean;
}

/** Objects deleted in one call: S3's limit. */
const DELETE_BATCH_SIZE = 1000;
/** How far the store's times may be off: S3 gives whole seconds. */
const CLOCK_MARGIN_MS = 2000;

/**
 * Deletes the objects of a unit whose work started at or before a purge. Call it after the tombstone of that purge is stored.
 *
 * An object whose start time was read is deleted only if it has not been replaced since, so that a unit which is submitted again at
 * that moment keeps its manifest. A clearly older variant or source record is deleted without being read. If it is made again at that
 * moment, it is deleted too, and the next request makes it once more.
 *
 * @param purgedMs - the time of the tombstone, in Unix milliseconds
 * @returns the number of deleted objects, and their bytes
 */
export async function deleteUnit(
  store: VariantStore,
  { folder, manifestKey }: Pick<UnitAddress, 'folder' | 'manifestKey'>,
  purgedMs: number,
  { dryRun = false, readAll = false }: DeleteOptions = {},
): Promise<{ objects: number; bytes: number }> {
  const deleted = { objects: 0, bytes: 0 };
  let batch: string[] = [];

  async function deleteBatch(): Promise<void> {
    if (!dryRun && batch.length > 0) await store.delete(batch);
    batch = [];
  }

  function mayBeNewer({ key, modifiedMs }: ListedObject): boolean {
    return readAll || key === manifestKey || modifiedMs > purgedMs - CLOCK_MARGIN_MS;
  }

  /** Returns whether it deleted the object, or would. */
  async function deleteUnlessNewer(object: ListedObject): Promise<boolean> {
    const { key } = object;
    if (mayBeNewer(object)) {
      // `undefined`: damaged, or removed after it was listed. Then a unit that is submitted again may put another at this key.
      const version = await readVersion(store, key);
      if (version?.startedAtMs !== undefined && version.startedAtMs > purgedMs) return false;
      if (!dryRun) await store.deleteIfMatch(key, version?.etag);
      return true;
    }
    batch.push(key);
    if (batch.length === DELETE_BATCH_SIZE) await deleteBatch();
    return true;
  }

  for await (const object of store.list(folder)) {
    if (!(await deleteUnlessNewer(object))) continue;
    deleted.objects++;
    deleted.bytes += object.bytes;
  }
  await deleteBatch();
  return deleted;
}

/**
 * Returns when the work that stored an object of a unit started, in Unix milliseconds; `undefined` when there is no object, or it
 * does not say because an earlier version of this program stored it.
 */
export async function startedAtMsOf(store: VariantStore, key: string): Promise<number | undefined> {
  return (await readVersion(store, key))?.startedAtMs;
}

async function readVersion(
  store: VariantStore,
  key: string,
): Promise<{ etag: string; startedAtMs: number | undefined } | undefined> {
  if (!key.endsWith('.json')) {
    const variant = await store.head(key);
    const startedAt = variant?.metadata[VARIANT_METADATA.startedAt];
    return variant && { etag: variant.etag, startedAtMs: parseTime(startedAt) };
  }
  const record = await store.get(key);
  return record && { etag: record.etag, startedAtMs: parseTime(startTimeOfRecord(record.body)) };
}

/** Of a manifest or a source record. */
function startTimeOfRecord(body: Uint8Array): unknown {
  try {
    const { receivedAt, lastAttempt } = JSON.parse(new TextDecoder().decode(body));
    return receivedAt ?? lastAttempt;
  } catch {
    return undefined;
  }
}

function parseTime(time: unknown): number | undefined {
  const timeMs = Date.parse(String(time));
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
