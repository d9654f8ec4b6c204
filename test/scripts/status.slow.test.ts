import { readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CREDENTIALS } from '../support/aws/signatures.ts';
import { parseLines, setUpCommands } from '../support/command.ts';
import { createTestQueue } from '../support/queue/sqs.ts';

/** The commands, and the unit `done` with one image that is ready and one that is broken. */
async function setUpUnits() {
  const commands = await setUpCommands({ '/gone.jpg': (response) => response.writeHead(404).end() });
  const { src } = commands;
  const done = { id: 'done', images: { 'a.jpg': src('/a.jpg'), 'gone.jpg': src('/gone.jpg') } };
  await commands.run(['prewarm', '-'], JSON.stringify(done));
  return commands;
}

describe('the command status', () => {
  it('prints for each image its variants with signed URLs, or why it is broken', async () => {
    const { run, src, photo } = await setUpUnits();
    const { status, stdout, stderr } = await run(['status', 'done'], '', {
      SIGNING_KEYS: `k:${'00'.repeat(16)}`,
      PUBLIC_URL: 'https://images.example.com',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const before = `${(photo.length / 1000).toFixed(1)} kB`;
    const [summary, saving, , first, ready, avif, webp, , second, broken, since] = stdout.split('\n');
    expect(summary).toBe('done: 2 images: 1 ready, 1 broken');
    expect(saving).toMatch(
      new RegExp(`^  ${before} before, at most .* now: .* saved \\(9\\d\\.\\d% or more\\)$`),
    );
    expect(first).toBe(`  a.jpg: ${src('/a.jpg')}`);
    expect(ready).toBe(`    ready, ${before} before`);
    const url = `https://images.example.com/u/done?src=${encodeURIComponent(src('/a.jpg'))}&w=160&q=balanced`;
    expect(avif).toMatch(/^ {4}160 balanced avif +[\d.]+ kB +[\d.]+% {2}(fast|best) {2}https:/);
    expect(avif).toContain(`${url}&f=avif&sig=k.`);
    expect(webp).toContain(`${url}&f=webp&sig=k.`);
    expect(second).toBe(`  gone.jpg: ${src('/gone.jpg')}`);
    expect(broken).toMatch(/^ {4}broken: source_not_found: .*404/);
    expect(since).toMatch(/^ {4}since 20\S+Z; permanent until the source changes; next attempt 20\S+Z$/);
  });

  it('lists the ids of the units in a state, and shows only what is broken', async () => {
    const { run, src } = await setUpUnits();
    await run(['prewarm', '-'], JSON.stringify({ id: 'good', images: [src('/a.jpg')] }));
    expect((await run(['status', '--state', 'ready'])).stdout).toBe('good\n');
    expect((await run(['status', '--state', 'broken'])).stdout).toBe('done\n');
    const listed = parseLines((await run(['status', '--state', 'broken', '--json'])).stdout);
    expect(listed).toEqual([{ id: 'done', state: 'broken', since: expect.any(String) }]);
    const broken = await run(['status', 'done', 'good', '--broken', '--json']);
    expect(parseLines(broken.stdout)).toEqual([
      expect.objectContaining({ id: 'done', images: [expect.objectContaining({ name: 'gone.jpg' })] }),
    ]);
    // Of all of the unit, and not what its ready images take, which are left out.
    const text = (await run(['status', 'done', '--broken'])).stdout;
    expect(text).toMatch(/^done: 2 images: 1 ready, 1 broken\n\n {2}gone\.jpg: /);
    expect((await run(['status'])).status).toBe(1);
  });

  it('rebuilds marks of all units, and takes no ids with that', async () => {
    const { run } = await setUpUnits();
    const { status, stderr } = await run(['status', '--rebuild-marks']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^256 of 256 shards: \d units, of which 0 are ready now, 0 broken and 0 pending/m);
    expect((await run(['status', 'done', '--rebuild-marks'])).status).toBe(1);
  });

  it('says with --asked what viewers asked for that is not prewarmed, and the setting that covers it', async () => {
    const { run, src } = await setUpUnits();
    const asked = await run(['status', '--asked', 'done']);
    expect(asked).toMatchObject({ status: 0, stderr: '' });
    expect(asked.stdout).toMatch(/^1 unit:\n {2}160 {2}balanced {2}avif +1 image {2}prewarmed\n/);
    expect(asked.stdout).toContain('Nothing was asked for that is not prewarmed.');
    // Another setting than that of what is in the store: as if viewers had asked for the rest.
    const line = JSON.stringify({ id: 'done', images: [src('/a.jpg')], for: 'android-app:320' });
    await run(['prewarm', '-'], line);
    const json = await run(['status', '--asked', '--json', 'done', 'nobody']);
    expect(parseLines(json.stdout)).toMatchObject([
      {
        id: 'done',
        prewarm: { widths: [320], tiers: ['balanced'], formats: ['webp', 'jpeg'] },
        variants: [
          { width: 160, format: 'avif', images: 1, state: 'formerly prewarmed' },
          { width: 160, format: 'webp', images: 1, state: 'formerly prewarmed' },
          { width: 320, format: 'jpeg', images: 1, state: 'prewarmed' },
          { width: 320, format: 'webp', images: 1, state: 'prewarmed' },
        ],
      },
      { id: 'nobody', error: 'not_found' },
    ]);
    expect(json.status).toBe(2);
  });

  it('prints a JSON line for each unit with --json, in the order of the input', async () => {
    const { run, src } = await setUpUnits();
    const { status, stdout, stderr } = await run(['status', '-', '--json'], 'nobody\n\ndone\nno unit\ndone');
    expect(parseLines(stdout)).toEqual([
      { id: 'nobody', error: 'not_found' },
      expect.objectContaining({
        id: 'done',
        images: [
          expect.objectContaining({ name: 'a.jpg', src: src('/a.jpg'), state: 'ready' }),
          expect.objectContaining({ name: 'gone.jpg', state: 'broken', code: 'source_not_found' }),
        ],
        totals: expect.objectContaining({ ready: 1, broken: 1, pending: 0 }),
      }),
      { id: 'no unit', error: 'bad_request' },
      expect.objectContaining({ id: 'done' }),
    ]);
    expect(stderr).toMatch(/^nobody: there is no such unit.*\nline 4: no unit is not a unit id: .*\n$/);
    expect(status).toBe(2);
  });

  it('prints an image that no worker has tried yet as pending', async () => {
    const { run, src } = await setUpUnits();
    const { url } = await createTestQueue();
    const env = { QUEUE: url, SQS_ENDPOINT: new URL(url).origin, ...CREDENTIALS };
    await run(['prewarm', '-'], JSON.stringify({ id: 'new', images: [src('/b.jpg')] }), env);
    const { status, stdout } = await run(['status', 'new']);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `new: 1 image: 1 pending\n\n  ${src('/b.jpg')}\n    pending\n\n`,
    });
  });

  it('ends with 1 and still prints the other units when one cannot be looked up', async () => {
    const { run, folder, src } = await setUpUnits();
    await run(['prewarm', '-'], JSON.stringify({ id: 'damaged', images: [src('/b.jpg')] }));
    const shards = join(folder, 'store', 'v1');
    for (const shard of await readdir(shards)) {
      if (!(await readdir(join(shards, shard))).includes('damaged')) continue;
      const manifest = join(shards, shard, 'damaged', 'manifest.json');
      await rm(manifest);
      // A link to itself cannot be read: ELOOP.
      await symlink(manifest, manifest);
    }
    const { status, stdout, stderr } = await run(['status', 'damaged', 'done', '--json']);
    expect(parseLines(stdout)).toMatchObject([
      { id: 'damaged', error: 'internal' },
      { id: 'done', images: [{}, {}] },
    ]);
    expect(stderr).toMatch(/^damaged: ELOOP/);
    expect(status).toBe(1);
    expect((await run(['status', 'never-sent', 'done'])).status).toBe(2);
    expect((await run(['status', 'damaged', 'never-sent'])).status).toBe(1);
  });

  it('replaces control characters in names and URLs', async () => {
    const { run, src } = await setUpCommands();
    const unit = { id: 'a', images: { '\u001b[2J': src('/a.jpg'), 'b\u009b2J': 'x\u001b]0;title\u0007' } };
    await run(['prewarm', '-'], JSON.stringify(unit));
    const { stdout } = await run(['status', 'a']);
    expect(stdout).toContain('\uFFFD[2J: ');
    expect(stdout).toContain('x\uFFFD]0;title\uFFFD');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});
