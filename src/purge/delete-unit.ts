import type { UnitAddress } from '../protocol/keys.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import { decodeWorkStart, startOf, type WorkStart } from '../protocol/work-start.ts';
import type { ListedObject, VariantStore } from '../store/store.ts';

/** Which objects of a unit to delete. */
export interface Deletion {
  /** Whether what was stored by work that began like this is to be deleted. What does not say when it began is deleted. */
  isBefore(start: WorkStart): Promise<boolean>;
  /**
   * Variants and source records that were stored before this time, by the store's clock, are deleted without being read, in Unix
   * milliseconds. Default: every object is read.
   */
  unreadBeforeMs?: number | undefined;
}

/** How many objects were deleted, and their bytes. */
export interface Deleted {
  objects: number;
  bytes: number;
}

/** Objects deleted in one call: S3's limit. */
const DELETE_BATCH_SIZE = 1000;

/**
 * Deletes the objects of a unit that began before a purge. Call it after the tombstone of that purge is stored.
 *
 * An object that was read is deleted only if it has not been replaced since, so that a unit which is submitted again at that moment keeps its
 * manifest. If one that is deleted unread is made again at that moment, it is deleted too, and the next request makes it once more.
 *
 * @throws Error the first fault of the store, once every object has been tried
 */
export async function deleteUnit(
  store: VariantStore,
  { folder, manifestKey, stateKeys }: Pick<UnitAddress, 'folder' | 'manifestKey' | 'stateKeys'>,
  { isBefore, unreadBeforeMs = 0 }: Deletion,
): Promise<Deleted> {
  const deleted = { objects: 0, bytes: 0 };
  const errors: unknown[] = [];
  let batch: ListedObject[] = [];

  async function attempt(objects: readonly ListedObject[], work: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await work())) return;
      deleted.objects += objects.length;
      deleted.bytes += objects.reduce((sum, { bytes }) => sum + bytes, 0);
    } catch (error) {
      errors.push(error);
    }
  }

  async function deleteBatch(): Promise<void> {
    const objects = batch;
    batch = [];
    if (objects.length === 0) return;
    await attempt(objects, async () => {
      await store.delete(objects.map(({ key }) => key));
      return true;
    });
  }

  for await (const object of store.list(folder)) {
    if (object.key !== manifestKey && object.modifiedMs < unreadBeforeMs) {
      batch.push(object);
      if (batch.length === DELETE_BATCH_SIZE) await deleteBatch();
    } else {
      await attempt([object], () => deleteIfBefore(store, object.key, isBefore));
    }
  }
  await deleteBatch();
  // Not counted: they say nothing that a viewer could see.
  await Promise.all(stateKeys.map((key) => attempt([], () => deleteMark(store, key, isBefore))));
  if (errors.length > 0) throw errors[0];
  return deleted;
}

/** Returns how many objects a unit has. */
export async function countUnit(
  store: VariantStore,
  { folder }: Pick<UnitAddress, 'folder'>,
): Promise<Deleted> {
  const found = { objects: 0, bytes: 0 };
  for await (const { bytes } of store.list(folder)) {
    found.objects++;
    found.bytes += bytes;
  }
  return found;
}

async function deleteMark(
  store: VariantStore,
  key: string,
  isBefore: Deletion['isBefore'],
): Promise<boolean> {
  return (await store.head(key)) !== undefined && (await deleteIfBefore(store, key, isBefore));
}

/** Returns whether it deleted the object. */
async function deleteIfBefore(
  store: VariantStore,
  key: string,
  isBefore: Deletion['isBefore'],
): Promise<boolean> {
  // `undefined`: damaged, or removed after it was listed. Then a unit that is submitted again may put another at this key.
  const version = await readVersion(store, key);
  if (version?.start && !(await isBefore(version.start))) return false;
  await store.deleteIfMatch(key, version?.etag);
  return true;
}

async function readVersion(
  store: VariantStore,
  key: string,
): Promise<{ etag: string; start: WorkStart | undefined } | undefined> {
  if (!key.endsWith('.json')) {
    const variant = await store.head(key);
    return (
      variant && { etag: variant.etag, start: decodeWorkStart(variant.metadata[VARIANT_METADATA.startedAt]) }
    );
  }
  const record = await store.get(key);
  return record && { etag: record.etag, start: startOfRecord(record.body) };
}

/** Of a manifest or a source record. */
function startOfRecord(body: Uint8Array): WorkStart | undefined {
  try {
    const { receivedAt, lastAttempt, lastPurge } = JSON.parse(new TextDecoder().decode(body));
    return startOf(receivedAt ?? lastAttempt, lastPurge);
  } catch {
    return undefined;
  }
}
