import { createHash } from 'node:crypto';
import type { ObjectInfo, StoredObject, VariantStore } from '../../../src/store/store.ts';

/**
 * A store in memory whose every operation takes effect at one moment, which the test chooses.
 *
 * @param pass - awaited before each operation takes effect
 * @param nowMs - the store's clock
 */
export function createMemoryStore(
  pass: (operation: string) => Promise<void> = async () => {},
  nowMs: () => number = Date.now,
): VariantStore {
  const objects = new Map<string, StoredObject>();

  function set(key: string, body: Uint8Array, info: ObjectInfo): { etag: string } {
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    const copy = new Uint8Array(body);
    const { contentType, cacheControl, metadata = {} } = info;
    const object = { contentType, cacheControl, metadata: { ...metadata }, etag, bytes: body.length };
    objects.set(key, { ...object, modifiedMs: nowMs(), body: copy });
    return { etag };
  }

  return {
    async get(key) {
      await pass(`get ${key}`);
      return objects.get(key);
    },
    async head(key) {
      await pass(`head ${key}`);
      return objects.get(key);
    },
    async put(key, body, info) {
      await pass(`put ${key}`);
      return set(key, body, info);
    },
    async replace(key, etag, body, info) {
      await pass(`replace ${key}`);
      return objects.get(key)?.etag === etag ? set(key, body, info) : undefined;
    },
    async delete(keys) {
      await pass(`delete ${keys.join(' ')}`);
      for (const key of keys) objects.delete(key);
    },
    async deleteIfMatch(key, etag) {
      await pass(`delete ${key}`);
      if (etag !== undefined && objects.get(key)?.etag === etag) objects.delete(key);
    },
    async *list(folder, after = '') {
      await pass(`list ${folder}`);
      const keys = [...objects.keys()].filter((key) => key.startsWith(`${folder}/`) && key > after).sort();
      for (const key of keys) {
        await pass(`list ${key}`);
        const object = objects.get(key);
        if (object) yield { key, bytes: object.bytes, modifiedMs: object.modifiedMs ?? 0 };
      }
    },
  };
}
