import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLines, runCommandInProcess } from '../support/command.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { photograph, quarters } from '../support/pictures.ts';

const run = (folder: string, ...options: string[]) => runCommandInProcess(['cases', folder, ...options]);

async function writeCases(cases: Record<string, unknown>[]): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'cases.json'), JSON.stringify(cases));
  const photo = await photograph();
  await writeFile(join(folder, 'photo é.jpg'), photo);
  await writeFile(join(folder, 'half.jpg'), photo.subarray(0, photo.length / 2));
  await writeFile(join(folder, 'clear.png'), await quarters().ensureAlpha(0.5).png().toBuffer());
  await writeFile(join(folder, 'page.jpg'), '<!doctype html>');
  return folder;
}

const RIGHT = [
  { file: 'photo é.jpg', outcome: 'image', width: 1024, height: 819 },
  { file: 'half.jpg', outcome: ['source_corrupt'] },
  { file: 'clear.png', outcome: 'image', width: 96, height: 64, alpha: true, note: 'half transparent' },
  { file: 'page.jpg', outcome: ['source_not_image'] },
];

describe('the command cases', () => {
  it('ends with 0 when every response is as cases.json says', async () => {
    const { status, stdout, stderr } = await run(await writeCases(RIGHT));
    expect(stdout + stderr).toMatch(/^peak memory: \d+ MiB\n4 passed, 0 failed\n$/);
    expect(status).toBe(0);
  });

  it('prints with --json a line for each image, and one of totals', async () => {
    const { status, stdout } = await run(
      await writeCases([...RIGHT.slice(1, 2), { file: 'page.jpg', outcome: 'image' }]),
      '--json',
    );
    expect(status).toBe(2);
    expect(parseLines(stdout)).toEqual([
      { file: 'half.jpg', passed: true, differences: [] },
      {
        file: 'page.jpg',
        passed: false,
        differences: expect.arrayContaining([expect.stringContaining('avif at 160: ')]),
      },
      { passed: 1, failed: 1, peakMemoryMib: expect.any(Number) },
    ]);
  });

  it('expects of a file what --expect says', async () => {
    const folder = await writeCases([{ file: 'page.jpg', outcome: 'image' }]);
    expect((await run(folder, '--expect', 'page.jpg=source_not_image')).status).toBe(0);
    expect((await run(folder, '--expect', 'page.jpg=source_corrupt')).status).toBe(2);
    for (const wrong of ['no.jpg=image', 'page.jpg'])
      expect((await run(folder, '--expect', wrong)).stderr).toContain('--expect: ');
  });

  it('ends with 2 and prints each difference between a response and cases.json', async () => {
    const wrong = [
      { file: 'photo é.jpg', outcome: 'image', width: 1025, height: 900, frames: 3 },
      { file: 'half.jpg', outcome: 'image' },
      { file: 'clear.png', outcome: ['source_corrupt'] },
      { file: 'page.jpg', outcome: ['source_corrupt'] },
    ];
    const { status, stdout } = await run(await writeCases(wrong));
    expect(stdout).toContain('photo é.jpg: avif at 1080: is 1024×818, not 1025×900');
    expect(stdout).toContain('photo é.jpg: webp at 160: has 1 frames, not 3');
    expect(stdout).toContain('photo é.jpg: jpeg at 160: is image/jpeg, not image/gif');
    expect(stdout).toContain('half.jpg: avif at 160: ended in 422 source_corrupt');
    expect(stdout).toContain('clear.png: webp at 1080: ended in an image, not in source_corrupt');
    expect(stdout).toContain('page.jpg: jpeg at 1080: ended in 415 source_not_image');
    expect(stdout).toMatch(/\n0 passed, 4 failed\n$/);
    expect(status).toBe(2);
  });

  it('ends with 1 and names the file when cases.json is missing or invalid', async () => {
    const folder = await temporaryFolder();
    expect(await run(folder)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('There are no cases at'),
    });
    await writeFile(join(folder, 'cases.json'), '[{"file":1}]');
    expect(await run(folder)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('is not a list of cases'),
    });
  });
});
