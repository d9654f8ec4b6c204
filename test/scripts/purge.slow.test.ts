import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CREDENTIALS } from '../support/aws/signatures.ts';
import { DISTRIBUTION, startCloudFront } from '../support/cloudfront.ts';
import { parseLines, setUpCommands } from '../support/command.ts';

/** The commands, and this many units that are ready: `u0`, `u1`, … */
async function setUpUnits(count = 2) {
  const commands = await setUpCommands();
  const { run, src, folder } = commands;
  const units = Array.from({ length: count }, (_, index) => ({ id: `u${index}`, images: [src('/a.jpg')] }));
  await run(['prewarm', '-'], units.map((unit) => JSON.stringify(unit)).join('\n'));
  /** The units that have any object in the store. */
  const left = async () => {
    const shards = await readdir(join(folder, 'store', 'v1'));
    const found = await Promise.all(shards.map((shard) => readdir(join(folder, 'store', 'v1', shard))));
    return found.flat().sort();
  };
  return { ...commands, left };
}

async function setUpCdn(options: Parameters<typeof startCloudFront>[0] = {}) {
  const cloudFront = await startCloudFront(options);
  const env = {
    CDN: `cloudfront:${DISTRIBUTION}`,
    CLOUDFRONT_ENDPOINT: cloudFront.endpoint,
    ...CREDENTIALS,
  };
  return { cloudFront, env };
}

describe('the command purge', () => {
  it('deletes units and prints what was deleted', async () => {
    const { run, left } = await setUpUnits(3);
    const { status, stdout, stderr } = await run(['purge', 'u0', 'nobody', 'u2', 'u0']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^u0: 3 objects, [\d.]+ kB\nnobody: nothing to delete\nu2: 3 objects, [\d.]+ kB\n3 units purged: 6 objects, [\d.]+ kB\nNo CDN is configured \(CDN=none\): .*there: u-[0-9a-f]{32}, u-[0-9a-f]{32}, u-[0-9a-f]{32}\n$/,
    );
    expect(await left()).toEqual(['u1']);
    expect((await run(['purge', 'u0'])).stdout).toMatch(
      /^u0: nothing to delete\n1 unit purged: 0 objects, 0 B\nNo CDN is configured .*\n$/,
    );
  });

  it('deletes nothing with --dry-run and prints what it would delete', async () => {
    const { run, left } = await setUpUnits();
    const { cloudFront, env } = await setUpCdn();
    const { status, stdout } = await run(['purge', '--dry-run', '--wait', 'u0'], '', env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^u0: 3 objects, [\d.]+ kB\n1 unit would be purged: 3 objects, [\d.]+ kB\n$/);
    const { stdout: json } = await run(['purge', '--dry-run', '--json', 'u0']);
    expect(parseLines(json)).toEqual([expect.objectContaining({ id: 'u0', objects: 3, dryRun: true })]);
    expect(await left()).toEqual(['u0', 'u1']);
    expect(cloudFront.calls).toEqual([]);
  });

  it('deletes nothing when an argument is not a unit id', async () => {
    const { run, left } = await setUpUnits();
    const { status, stdout, stderr } = await run(['purge', 'u0', 'u/1', '..']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^u\/1 is not a unit id: .*\n\.\. is not a unit id: .*\nNothing was purged\.\n$/);
    expect((await run(['purge', 'u0', '-'], 'u1')).status).toBe(1);
    expect(await left()).toEqual(['u0', 'u1']);
  });

  it('reads any number of units from standard input, and names the lines that are not unit ids', async () => {
    const { run, left } = await setUpUnits(2);
    const ids = Array.from({ length: 2500 }, (_, index) => `u${index + 1}`);
    const { status, stdout, stderr } = await run(['purge', '-', '--json'], `u 1\n\n${ids.join('\r\n')}`);
    expect(parseLines(stdout).map(({ id }) => id)).toEqual(ids);
    expect(parseLines(stdout)[0]).toEqual({
      id: 'u1',
      purgedAt: expect.any(String),
      objects: 3,
      bytes: expect.any(Number),
      cacheTag: expect.stringMatching(/^u-[0-9a-f]{32}$/),
    });
    expect(stderr).toMatch(
      /^line 1: u 1 is not a unit id: .*\n2,500 units purged: 3 objects, .* kB\nNo CDN is configured .* and 2,495 more \(--json has all\)\n1 line refused\n$/,
    );
    expect(status).toBe(2);
    expect(await left()).toEqual(['u0']);
  });

  it('invalidates the units at the CDN, and waits for the invalidation with --wait', async () => {
    const { run } = await setUpUnits();
    const { cloudFront, env } = await setUpCdn({ pollsInProgress: 1 });
    const { status, stdout, stderr } = await run(['purge', 'u0', 'u1', '--wait'], '', env);
    expect(stdout).toMatch(/2 units purged: .*\nInvalidating 2 cache tags at the CDN: I1\n$/);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr:
        'The CDN has completed 0 of 1 invalidation; I1 is "InProgress"\nThe CDN has completed the invalidations.\n',
    });
    expect(cloudFront.invalidations()).toEqual([
      [expect.stringMatching(/^#u-[0-9a-f]{32}$/), expect.stringMatching(/^#u-[0-9a-f]{32}$/)],
    ]);
    expect(cloudFront.gets().length).toBeGreaterThan(0);

    const { stdout: json } = await run(['purge', 'u0', '--json'], '', env);
    expect(parseLines(json)).toEqual([
      expect.objectContaining({ id: 'u0', objects: 0 }),
      { invalidation: 'I2', tags: 1 },
    ]);
  });

  it('gives up waiting after --patience, and says what the CDN says of the invalidation', async () => {
    const { run } = await setUpUnits(1);
    const { env } = await setUpCdn({ pollsInProgress: 1e9, words: { inProgress: 'Paused' } });
    const { status, stdout, stderr } = await run(['purge', 'u0', '--wait', '--patience', '1'], '', env);
    expect(status).toBe(1);
    expect(stdout).toMatch(/1 unit purged: 3 objects/);
    expect(stderr).toMatch(
      /\nThe CDN has completed 0 of 1 invalidation; I1 is "Paused"\nNo further one for 1 s.*\nThe store is purged.*\n$/,
    );
  });

  it('ends with 1 when the invalidation fails, and says what was purged and that copies of the CDN are left', async () => {
    const { run, left } = await setUpUnits();
    const { env } = await setUpCdn({
      fault: () => ({ status: 403, code: 'AccessDenied', message: 'not you' }),
    });
    const { status, stdout, stderr } = await run(['purge', 'u0'], '', env);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^u0: 3 objects, [\d.]+ kB\n1 unit purged: 3 objects, [\d.]+ kB\n$/);
    expect(stderr).toMatch(
      /not you[\s\S]*\nNothing of this is left in the store, but the CDN may still serve its copies of the unit: .* \(u-[0-9a-f]{32}\)\..* Run it again: purging a unit twice changes nothing\.\n$/,
    );
    expect(await left()).toEqual(['u1']);

    const { stdout: json } = await run(['purge', 'u1', '--json'], '', env);
    expect(parseLines(json)).toEqual([expect.objectContaining({ id: 'u1', objects: 3 })]);
  });
});
