import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ObjectInfo, StoredInfo, StoredObject, VariantStore } from '../../../src/store/store.ts';

/*
 * Objects that say in their bytes, and again in all that is stored beside them, which version they are: whoever reads one
 * can tell whether it is whole. Without vitest, so that other processes can put them too.
 */

/**
 * Puts one version. To a `.json` key, every fifth is a plain record, which has nothing beside its bytes.
 *
 * @param maxBytes - lengths vary up to this
 */
export async function putVersion(
  store: VariantStore,
  key: string,
  writer: string,
  version: number,
  maxBytes = 90_000,
): Promise<void> {
  const label = `${writer}-${version}`;
  const body = Buffer.from(label.padEnd(100 + ((version * 7919) % maxBytes), '.'));
  const info: ObjectInfo = {
    contentType: 'image/avif',
    cacheControl: `max-age=${version}`,
    metadata: { label, bytes: String(body.length), etag: etagOf(body) },
  };
  const plain = key.endsWith('.json') && version % 5 === 0;
  await store.put(key, body, plain ? { contentType: 'application/json' } : info);
}

/** Fails unless this is one version, whole, with what belongs to it and nothing else. Returns which. */
export function assertVersion(found: StoredInfo | StoredObject): string {
  const { contentType, cacheControl, metadata, etag, bytes } = found;
  const plain = contentType === 'application/json';
  let label = metadata['label'] ?? '';
  if ('body' in found) {
    const said = Buffer.from(found.body.subarray(0, 40)).toString().replace(/\.*$/, '');
    assert.deepEqual({ etag, bytes }, { etag: etagOf(found.body), bytes: found.body.length });
    if (!plain) assert.equal(label, said);
    label = said;
  }
  assert.equal(cacheControl, plain ? undefined : `max-age=${label.split('-')[1]}`);
  assert.deepEqual({ ...metadata }, plain ? {} : { label, bytes: String(bytes), etag });
  return label;
}

function etagOf(body: Uint8Array): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
