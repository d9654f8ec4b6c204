import type { VariantStore } from '../store/store.ts';

/**
 * When the work that put an object of a unit began, in Unix milliseconds, by which it is known whether a purge was meant for it.
 * `undefined`: it is gone, or older than this rule.
 */
export async function beganMsOf(store: VariantStore, key: string): Promise<number | undefined> {
  const said = key.endsWith('.json') ? await beganOfRecord(store, key) : await beganOfVariant(store, key);
  const beganMs = Date.parse(String(said));
  return Number.isNaN(beganMs) ? undefined : beganMs;
}

async function beganOfVariant(store: VariantStore, key: string): Promise<unknown> {
  return (await store.head(key))?.metadata['began'];
}

/** Of a manifest or a source record. */
async function beganOfRecord(store: VariantStore, key: string): Promise<unknown> {
  const object = await store.get(key);
  try {
    const { receivedAt, lastAttempt } = JSON.parse(new TextDecoder().decode(object?.body));
    return receivedAt ?? lastAttempt;
  } catch {
    return undefined;
  }
}
