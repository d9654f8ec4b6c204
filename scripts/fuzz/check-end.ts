import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { parseVariantKey, QUEUE_PREFIX, TOMBSTONE_PREFIX, VARIANT_PREFIX } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { TEMP_FOLDER } from '../../src/store/store.ts';
import { Finding } from './finding.ts';
import type { Target } from './target.ts';

/** How much more memory than before the server may keep: caches, and what allocators do not give back. */
const KEPT_MEMORY_BYTES = 400 * 2 ** 20;
/** The name of a file that is being written ends with a random id; the store has other files beside them. */
const TEMP_FILE = /\.[0-9a-f]{8}-[0-9a-f-]{27}$/;
const SETTLE_MS = 30_000;
const SETTLE_INTERVAL_MS = 500;

/**
 * Waits until the memory of a server has come back.
 *
 * @returns the memory in the end, in bytes
 * @throws Finding if it has not after half a minute
 */
export async function checkMemory({ server }: Target, beforeBytes: number): Promise<number> {
  const most = beforeBytes + KEPT_MEMORY_BYTES;
  const deadline = performance.now() + SETTLE_MS;
  while (server.memoryBytes() > most && performance.now() < deadline) await sleep(SETTLE_INTERVAL_MS);
  const bytes = server.memoryBytes();
  if (bytes > most)
    throw new Finding(`${bytes >> 20} MiB of memory are left, ${beforeBytes >> 20} MiB before`);
  return bytes;
}

/**
 * Reads each object of a store, after its server has ended.
 *
 * @returns how many there are
 * @throws Finding if one is not whole, a variant does not decode, or a file is left that was being written
 */
export async function checkStore(folder: string): Promise<number> {
  const files = await readdir(join(folder, TEMP_FOLDER)).catch(() => []);
  const left = files.filter((name) => TEMP_FILE.test(name));
  if (left.length > 0) throw new Finding(`half-written files are left in the store: ${left.join(', ')}`);
  const store = createFileStore({ root: folder });
  let count = 0;
  for (const prefix of [VARIANT_PREFIX, TOMBSTONE_PREFIX, QUEUE_PREFIX])
    for await (const { key } of store.list(prefix)) {
      const object = await store.get(key);
      if (!object) throw new Finding(`${key} is not a whole object`);
      if (parseVariantKey(key)) await decode(key, object.body);
      else if (key.endsWith('.json')) JSON.parse(Buffer.from(object.body).toString());
      count++;
    }
  return count;
}

async function decode(key: string, body: Uint8Array): Promise<void> {
  await sharp(body, { animated: true, failOn: 'warning' })
    .stats()
    .catch((error: Error) => {
      throw new Finding(`the variant ${key} does not decode: ${error.message}`);
    });
}
