import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLines, setUpCommands } from '../support/command.ts';

const missing = (response: { writeHead(status: number): { end(): void } }) => response.writeHead(404).end();

describe('the command prewarm', () => {
  it('makes what is missing of each unit, and tells of each image and each line that is no unit', async () => {
    const { run, write, src, photo, origin } = await setUpCommands({ '/gone.jpg': missing });
    const file = await write(
      'units.jsonl',
      [
        `{"id":"a","images":["${src('/1.jpg')}","${src('/gone.jpg')}"]}`,
        'nonsense',
        '',
        `{"id":"b","key_urls_map":{"front":"${src('/2.jpg')}"},"formats":["jpeg"]}`,
      ].join('\n'),
    );
    const first = await run(['prewarm', file, '--json']);
    const variant = { width: 160, tier: 'balanced', bytes: expect.any(Number) };
    const avif = { ...variant, format: 'avif', type: 'image/avif' };
    const webp = { ...variant, format: 'webp', type: 'image/webp' };
    const jpeg = { ...variant, format: 'jpeg', type: 'image/jpeg' };
    const ready = { state: 'ready', sourceBytes: photo.length, skipped: false };
    const broken = { state: 'broken', code: 'source_not_found', retryable: false };
    const lines = [
      { unit: 'a', src: src('/1.jpg'), ...ready, variants: [avif, webp] },
      { unit: 'a', src: src('/gone.jpg'), ...broken, detail: expect.stringContaining('404') },
      { unit: 'b', src: src('/2.jpg'), ...ready, variants: [jpeg] },
      { line: 2, state: 'refused', detail: expect.stringMatching(/^not JSON: /) },
    ];
    const byPlace = (line: Record<string, unknown>) => `${line['unit'] ?? 'z'} ${line['src']}`;
    const sorted = (text: string) => parseLines(text).sort((x, y) => (byPlace(x) < byPlace(y) ? -1 : 1));
    expect(sorted(first.stdout)).toEqual(lines);
    expect(first.stderr).toContain('2 units in ');
    expect(first.stderr).toContain('3 images: 2 ready, 1 broken; 1 line refused');
    expect(first.stderr).toContain(`source_not_found  1  ${origin.authority}`);
    expect(first.stderr).toContain('line 2: not JSON: ');
    expect(first.status).toBe(2);

    const asked = origin.requests.length;
    const second = await run(['prewarm', file, '--json']);
    const skipped = lines.map((line) => ('skipped' in line ? { ...line, skipped: true } : line));
    expect(sorted(second.stdout)).toEqual(skipped);
    expect(second.stderr).toContain('2 ready (2 skipped: they were there)');
    expect(second.status).toBe(2);
    expect(origin.requests.length).toBe(asked);
  });

  it('ends with 0 when all is ready, and prints nothing but its report', async () => {
    const { run, write, src } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }]);
    const { status, stdout, stderr } = await run(['prewarm', file]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toMatch(/^1 unit in .*, 1 image: 1 ready\n[\s\S]*at \$2 a GB\n$/);
    expect((await run(['prewarm', await write('empty.jsonl', '')])).status).toBe(0);
  });

  it('reads files and standard input, and says in which of them a line is refused', async () => {
    const { run, write, src } = await setUpCommands();
    const file = await write('units.jsonl', [1, { id: 'a', images: [src('/1.jpg')] }]);
    const input = `{"id":"b","images":["${src('/2.jpg')}"]}\n\n{"id":"c"}`;
    const { status, stdout } = await run(['prewarm', file, '-', '--json'], input);
    expect(parseLines(stdout)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ unit: 'a', state: 'ready' }),
        expect.objectContaining({ unit: 'b', state: 'ready' }),
        { line: 1, state: 'refused', detail: 'it is no JSON object', file },
        { line: 3, state: 'refused', detail: expect.stringContaining('`images` is missing'), file: '-' },
      ]),
    );
    expect(status).toBe(2);
  });

  it('finds units in JSON of any shape', async () => {
    const { run, src } = await setUpCommands();
    const input = JSON.stringify({ item: { no: 7 }, assets: [{ href: src('/1.jpg') }, { text: 'x' }] });
    const args = ['prewarm', '-', '--id', 'item.no', '--images', 'assets[].href', '--json'];
    const { status, stdout } = await run(args, `${input}\n{"item":{"no":8}}`);
    expect(parseLines(stdout)).toEqual([
      { line: 2, state: 'refused', detail: expect.stringContaining('--images found nothing') },
      expect.objectContaining({ unit: '7', src: src('/1.jpg'), state: 'ready' }),
    ]);
    expect(status).toBe(2);
  });

  it('writes the same lines into a report, in place of the one before', async () => {
    const { run, write, src, folder } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }, 'no unit']);
    const report = join(folder, 'report.jsonl');
    await writeFile(report, 'what was reported before\n'.repeat(100));
    const { stdout } = await run(['prewarm', file, '--json', '--report', report]);
    expect(await readFile(report, 'utf8')).toBe(stdout);
    expect(parseLines(stdout).length).toBe(2);
  });

  it('does nothing at all when it cannot do what it is told', async () => {
    const { run, write, src, folder, origin } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }]);
    const before = await readFile(file, 'utf8');
    const nowhere = join(folder, 'nowhere', 'report.jsonl');
    const wrong: [string[], RegExp][] = [
      [[file, join(folder, 'other.jsonl')], /other\.jsonl cannot be read: ENOENT/],
      [[file, folder], /cannot be read: it is a folder/],
      [['-', file, '-'], /only once/],
      [[file, '--report', nowhere], /--report: .* cannot be written: ENOENT/],
      [[file, '--report', file], /--report: .* is what is to be read/],
      [[file, '--images', 'a['], /--images is no JMESPath expression, from character 3 on/],
      [[file, '--per-host', '0'], /--per-host.*whole number from 1 to/],
      [[], /file/],
    ];
    const ended = await Promise.all(wrong.map(([args]) => run(['prewarm', ...args])));
    ended.forEach(({ status, stdout, stderr }, index) => {
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(wrong[index]?.[1] ?? /never/);
      expect(stderr).not.toMatch(/\n {4}at /);
    });
    expect(origin.requests).toEqual([]);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('leaves alone what is remembered as broken, until it is told to try again', async () => {
    const answers = { '/late.jpg': missing } as Record<string, typeof missing>;
    const { run, write, src } = await setUpCommands(answers);
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/late.jpg')] }]);
    expect((await run(['prewarm', file])).status).toBe(2);
    delete answers['/late.jpg'];
    expect((await run(['prewarm', file])).status).toBe(2);
    expect((await run(['prewarm', file, '--retry'])).status).toBe(0);
  });

  it('asks a host for no more at once than it is told', async () => {
    let [inHand, most] = [0, 0];
    const { run, src } = await setUpCommands(
      Object.fromEntries(
        Array.from({ length: 12 }, (_, index) => [
          `/${index}.jpg`,
          (response) => {
            most = Math.max(most, ++inHand);
            setImmediate(() => {
              inHand--;
              response.writeHead(404).end();
            });
          },
        ]),
      ),
    );
    const images = Array.from({ length: 12 }, (_, index) => src(`/${index}.jpg`));
    const { stderr } = await run(['prewarm', '-', '--per-host', '1'], JSON.stringify({ id: 'a', images }));
    expect(stderr).toContain('12 broken');
    expect(most).toBe(1);
  });

  it('keeps of two lines about one unit the later one', async () => {
    const { run, src } = await setUpCommands();
    const lines = Array.from({ length: 20 }, (_, index) => ({ id: 'a', images: [src(`/${index}.jpg`)] }));
    const input = lines.map((line) => JSON.stringify(line)).join('\n');
    expect((await run(['prewarm', '-'], input)).stderr).toContain('20 units');
    const { stdout } = await run(['status', 'a', '--json']);
    expect(parseLines(stdout)[0]).toMatchObject({ images: [{ src: src('/19.jpg'), state: 'ready' }] });
  });

  it('ends with 1 when the store fails, and leaves what it could not do for the next time', async () => {
    const { run, write, src, folder } = await setUpCommands();
    // Nothing can be put below a file.
    await mkdir(join(folder, 'store'));
    await writeFile(join(folder, 'store', 'v1'), '');
    const few = await write('few.jsonl', [{ id: 'a', images: [src('/1.jpg'), src('/2.jpg')] }]);
    const { status, stdout, stderr } = await run(['prewarm', few, '--json']);
    expect(status).toBe(1);
    expect(parseLines(stdout)).toEqual(
      ['/1.jpg', '/2.jpg'].map((path) => ({
        unit: 'a',
        src: src(path),
        state: 'pending',
        detail: expect.any(String),
      })),
    );
    expect(stderr).toMatch(/^a: E.*\n/);
    expect(stderr).toContain('2 images: 0 ready, 2 pending');
    expect(stderr).toMatch(/Running it again does only what is missing\.\n$/);
  });

  it('gives up when one unit after the other cannot be worked on', async () => {
    const { run, write, src, folder } = await setUpCommands();
    await mkdir(join(folder, 'store'));
    await writeFile(join(folder, 'store', 'v1'), '');
    const units = Array.from({ length: 1000 }, (_, index) => ({ id: `u${index}`, images: [src('/1.jpg')] }));
    const { status, stderr } = await run(['prewarm', await write('many.jsonl', units)]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/Stopped: 50 units in a row could not be worked on, as u\d+: E/);
    expect(stderr).toMatch(/^1\d\d units in /m);
    expect(stderr.match(/^u\d+: /gm)?.length).toBe(5);
  });

  it('does its work even when nobody reads what it prints any more', async () => {
    const { start, write, src } = await setUpCommands();
    const units = Array.from({ length: 30 }, (_, index) => ({ id: `u${index}`, images: [src('/1.jpg')] }));
    const program = start(['prewarm', await write('units.jsonl', units), '--json']);
    program.process.stdout?.destroy();
    expect(await program.ended).toBe(0);
    expect(program.output.stderr).toMatch(/^30 units in .*: 30 ready\n/);
  });
});
