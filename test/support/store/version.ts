import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ObjectInfo, StoredInfo, StoredObject, VariantStore } from '../../../src/store/store.ts';

// Objects that carry their version in their bytes, and again in their metadata, so that a reader can tell whether one is whole.
// Without vitest, so that other processes can put them too.

/**
 * Puts one version. At a `.json` key, every fifth is a plain record without metadata.
 *
 * @param maxBytes - the limit on the lengths, which vary
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

/** Fails unless this is one whole version with its own metadata. Returns its label. */
export function assertVersion(found: StoredInfo | StoredObject): string {
  const { contentType, cacheControl, metadata, etag, bytes } = found;
  const plain = contentType === 'application/json';
  let label = metadata['label'] ?? '';
  if ('body' in found) {
    const bodyLabel = Buffer.from(found.body.subarray(0, 40)).toString().replace(/\.*$/, '');
    assert.deepEqual({ etag, bytes }, { etag: etagOf(found.body), bytes: found.body.length });
    if (!plain) assert.equal(label, bodyLabel);
    label = bodyLabel;
  }
  assert.equal(cacheControl, plain ? undefined : `max-age=${label.split('-')[1]}`);
  assert.deepEqual({ ...metadata }, plain ? {} : { label, bytes: String(bytes), etag });
  return label;
}

function etagOf(body: Uint8Array): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
