import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { EdgepressError } from '../../src/protocol/error.ts';
import { hostRefusal } from '../../src/source/host-breakers.ts';
import { createSourceRecords } from '../../src/source/source-records.ts';
import { createBestEffortStore } from '../../src/store/best-effort-store.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { makeFolder } from '../support/store/folder.ts';

const KEY = 'v1/ab/unit-1/0123/source.json';
const SRC = 'https://images.test/a.jpg';
const START = { atMs: 0, lastPurgeMs: 0 };
const timeout = new EdgepressError('source_timeout', 'images.test: no answer', { retryable: true });

async function setUp() {
  const clock = { nowMs: 0 };
  const store = createBestEffortStore(
    createFileStore({ root: await makeFolder() }),
    (_operation, _key, error) => {
      throw error;
    },
  );
  const records = createSourceRecords(store, () => clock.nowMs, sha256);
  const save = async (error: EdgepressError) =>
    await records.saveFailure(KEY, error, await records.read(KEY, SRC), START, SRC);
  const isLeftAlone = async () => records.cachedFailure(await records.read(KEY, SRC)) !== undefined;
  return { clock, records, save, isLeftAlone };
}

describe('the record of a source that was not asked for, because its host was down', () => {
  it('lasts no longer than until the host may be asked', async () => {
    const { clock, save, isLeftAlone } = await setUp();
    await save(hostRefusal(timeout, 7_000));
    clock.nowMs = 6_999;
    expect(await isLeftAlone()).toBe(true);
    clock.nowMs = 7_000;
    expect(await isLeftAlone()).toBe(false);
  });

  it('does not replace what is known of the source itself', async () => {
    const { records, save } = await setUp();
    await save(new EdgepressError('source_not_found', '404 from images.test'));
    expect(await save(hostRefusal(timeout, 7_000))).toMatchObject({ isSaved: true });
    expect(await records.read(KEY, SRC)).toMatchObject({ code: 'source_not_found', failures: 1 });
  });
});
