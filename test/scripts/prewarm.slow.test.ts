import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLines, setUpCommands } from '../support/command.ts';

const missing = (response: { writeHead(status: number): { end(): void } }) => response.writeHead(404).end();

describe('the command prewarm', () => {
  it('makes the missing variants of each unit, and prints a line for each image and each refused line', async () => {
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
    const url = expect.stringMatching(/^http:\/\/127\.0\.0\.1:3000\/u\/[ab]\?src=.*&w=160&q=balanced&f=/);
    const variant = { url, width: 160, tier: 'balanced', bytes: expect.any(Number) };
    const avif = { ...variant, format: 'avif', type: 'image/avif' };
    const webp = { ...variant, format: 'webp', type: 'image/webp' };
    const jpeg = { ...variant, format: 'jpeg', type: 'image/jpeg' };
    const ready = { state: 'ready', sourceBytes: photo.length, skipped: false };
    const broken = { state: 'broken', code: 'source_not_found', retryable: false };
    const lines = [
      { unit: 'a', src: src('/1.jpg'), ...ready, variants: [avif, webp] },
      { unit: 'a', src: src('/gone.jpg'), ...broken, detail: expect.stringContaining('404') },
      { unit: 'b', src: src('/2.jpg'), name: 'front', ...ready, variants: [jpeg] },
      { line: 2, state: 'refused', detail: expect.stringMatching(/^it is not a JSON object/) },
    ];
    const byPlace = (line: Record<string, unknown>) => `${line['unit'] ?? 'z'} ${line['src']}`;
    const sorted = (text: string) => parseLines(text).sort((x, y) => (byPlace(x) < byPlace(y) ? -1 : 1));
    expect(sorted(first.stdout)).toEqual(lines);
    expect(first.stderr).toContain('2 units in ');
    expect(first.stderr).toContain('3 images: 2 ready, 1 broken; 1 line refused');
    expect(first.stderr).toContain(`source_not_found  1  ${origin.authority}`);
    expect(first.stderr).toContain('line 2: it is not a JSON object');
    expect(first.status).toBe(2);

    const asked = origin.requests.length;
    const second = await run(['prewarm', file, '--json']);
    const skipped = lines.map((line) => ('skipped' in line ? { ...line, skipped: true } : line));
    expect(sorted(second.stdout)).toEqual(skipped);
    expect(second.stderr).toContain('2 ready (2 skipped: already made)');
    expect(second.status).toBe(2);
    expect(origin.requests.length).toBe(asked);
  });

  it('writes a summary for programs, and the report with signed URLs', async () => {
    const { run, write, src, photo, folder } = await setUpCommands({ '/gone.jpg': missing });
    const file = await write('units.jsonl', [
      { id: 'a', images: [src('/1.jpg'), src('/gone.jpg')] },
      { id: 'b', images: [src('/1.jpg')], formats: ['webp'] },
    ]);
    const [summary, report] = [join(folder, 'summary.json'), join(folder, 'report.jsonl')];
    const env = { SIGNING_KEYS: `k:${'00'.repeat(16)}` };
    await run(['prewarm', file, '--summary', summary, '--report', report], '', env);
    const lines = parseLines(await readFile(report, 'utf8'));
    const variants = lines.flatMap(({ variants: made = [] }) => made as { url: string; bytes: number }[]);
    expect(variants).toHaveLength(3);
    for (const { url } of variants) expect(url).toMatch(/&sig=k\.[\w-]{43}$/);
    const written = JSON.parse(await readFile(summary, 'utf8')) as { saved: number };
    expect(written).toEqual({
      ...{ units: 2, purged: 0, images: { ready: 2, skipped: 0, broken: 1, pending: 0 } },
      ...{ codes: { source_not_found: 1 }, refused: 0 },
      bytes: variants.reduce((sum, { bytes }) => sum + bytes, 0),
      ...{ sourceBytes: 2 * photo.length, saved: expect.any(Number), seconds: expect.any(Number) },
      ...{ exitCode: 2, problems: [] },
    });
    expect(written.saved).toBeLessThan(2 * photo.length);
  });

  it('ends with 0 when all is ready, and prints only its summary', async () => {
    const { run, write, src } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }]);
    const { status, stdout, stderr } = await run(['prewarm', file]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toMatch(/^1 unit in .*, 1 image: 1 ready\n[\s\S]*at \$2 a GB\n$/);
    expect((await run(['prewarm', await write('empty.jsonl', '')])).status).toBe(0);
  });

  it('reads files and standard input, and names the one that has a refused line', async () => {
    const { run, write, src } = await setUpCommands();
    const file = await write('units.jsonl', [1, { id: 'a', images: [src('/1.jpg')] }]);
    const input = `{"id":"b","images":["${src('/2.jpg')}"]}\n\n{"id":"c"}`;
    const { status, stdout } = await run(['prewarm', file, '-', '--json'], input);
    expect(parseLines(stdout)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ unit: 'a', state: 'ready' }),
        expect.objectContaining({ unit: 'b', state: 'ready' }),
        { line: 1, state: 'refused', detail: 'it is not a JSON object: it begins with `1`', file },
        {
          ...{ line: 3, unit: 'c', state: 'refused', file: '-' },
          detail: expect.stringContaining('`images` is missing'),
        },
      ]),
    );
    expect(status).toBe(2);
  });

  it('finds units in JSON of any shape with --id and --images', async () => {
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

  it('writes the same lines to --report, and truncates the file before', async () => {
    const { run, write, src, folder } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }, 'no unit']);
    const report = join(folder, 'report.jsonl');
    await writeFile(report, 'what was reported before\n'.repeat(100));
    const { stdout } = await run(['prewarm', file, '--json', '--report', report]);
    expect(await readFile(report, 'utf8')).toBe(stdout);
    expect(parseLines(stdout).length).toBe(2);
  });

  it.each<[string, (folder: string, file: string) => string[], RegExp]>([
    [
      'a file that does not exist',
      (folder, file) => [file, join(folder, 'other.jsonl')],
      /other\.jsonl cannot be read: ENOENT/,
    ],
    ['a folder as a file', (folder, file) => [file, folder], /cannot be read: it is a folder/],
    ['standard input twice', (_folder, file) => ['-', file, '-'], /only once/],
    [
      'a report in a folder that does not exist',
      (folder, file) => [file, '--report', join(folder, 'nowhere', 'report.jsonl')],
      /--report: .* cannot be written: ENOENT/,
    ],
    [
      'a report that is the input',
      (_folder, file) => [file, '--report', file],
      /--report: .* is an input file/,
    ],
    [
      'an invalid JMESPath expression',
      (_folder, file) => [file, '--images', 'a['],
      /--images is not a valid JMESPath expression, from character 3 on/,
    ],
    [
      'a number that is too small',
      (_folder, file) => [file, '--per-host', '0'],
      /--per-host.*whole number from 1 to/,
    ],
    ['no file', () => [], /file/],
  ])('ends with 1 before it does anything when given %s', async (_, argsOf, message) => {
    const { run, write, src, folder, origin } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }]);
    const before = await readFile(file, 'utf8');
    const { status, stdout, stderr } = await run(['prewarm', ...argsOf(folder, file)]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(origin.requests).toEqual([]);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('does not try a source with a cached failure again without --retry', async () => {
    const answers = { '/late.jpg': missing } as Record<string, typeof missing>;
    const { run, write, src } = await setUpCommands(answers);
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/late.jpg')] }]);
    expect((await run(['prewarm', file])).status).toBe(2);
    delete answers['/late.jpg'];
    expect((await run(['prewarm', file])).status).toBe(2);
    expect((await run(['prewarm', file, '--retry'])).status).toBe(0);
  });

  it('makes no more concurrent fetches from a host than --per-host says', async () => {
    let [inFlight, most] = [0, 0];
    const { run, src } = await setUpCommands(
      Object.fromEntries(
        Array.from({ length: 12 }, (_, index) => [
          `/${index}.jpg`,
          (response) => {
            most = Math.max(most, ++inFlight);
            setImmediate(() => {
              inFlight--;
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

  it('uses the last of several lines about one unit', async () => {
    const { run, src } = await setUpCommands();
    const lines = Array.from({ length: 20 }, (_, index) => ({ id: 'a', images: [src(`/${index}.jpg`)] }));
    const input = lines.map((line) => JSON.stringify(line)).join('\n');
    expect((await run(['prewarm', '-'], input)).stderr).toContain('20 units');
    const { stdout } = await run(['status', 'a', '--json']);
    expect(parseLines(stdout)[0]).toMatchObject({ images: [{ src: src('/19.jpg'), state: 'ready' }] });
  });

  it('ends with 1 and records the images as pending when the store fails', async () => {
    const { run, write, src, folder } = await setUpCommands();
    // The store cannot create anything below a file.
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
    expect(stderr).toMatch(/Run it again to make only what is missing\.\n$/);
  });

  it('stops after 50 units in a row have failed', async () => {
    const { run, write, src, folder } = await setUpCommands();
    await mkdir(join(folder, 'store'));
    await writeFile(join(folder, 'store', 'v1'), '');
    const units = Array.from({ length: 1000 }, (_, index) => ({ id: `u${index}`, images: [src('/1.jpg')] }));
    const { status, stderr } = await run(['prewarm', await write('many.jsonl', units)]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/Stopped: 50 units in a row failed, such as u\d+: E/);
    // Of a thousand.
    expect(stderr).toMatch(/^\d{2,3} units in /m);
    expect(stderr.match(/^u\d+: /gm)?.length).toBe(5);
  });
});
