import { describe, expect, it } from 'vitest';
import { hmac } from '../../src/hashing.ts';
import { parseRequest } from '../../src/protocol/request.ts';
import { verifySignature } from '../../src/protocol/signature.ts';
import { parseLines, runCommandInProcess } from '../support/command.ts';

const KEY = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };

describe('the command sign', () => {
  it('prints a URL that the service accepts until it expires', async () => {
    const src = "https://x.test/it's (1).jpg?a=b&c";
    const args = ['--w', '720', '--q', 'saver', '--f', 'avif', '--expires-in', '60'];
    const env = {
      SIGNING_KEYS: `${KEY.id}:${KEY.hex},old:${'00'.repeat(16)}`,
      PUBLIC_URL: 'https://images.example.com',
    };
    const { status, stdout, stderr } = await runCommandInProcess(
      ['sign', '--unit', 'unit-1', '--src', src, ...args],
      env,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^https:\/\/images\.example\.com\/u\/unit-1\?\S+\n$/);
    const parsed = parseRequest(stdout.trim().slice('https://images.example.com'.length));
    if (!parsed.ok) throw new Error(parsed.fault.detail);
    expect(parsed.value).toMatchObject({ src, width: 720, tier: 'saver', format: 'avif' });
    const nowSeconds = Date.now() / 1000;
    expect(verifySignature(parsed.value, [KEY], hmac, nowSeconds).ok).toBe(true);
    expect(verifySignature(parsed.value, [KEY], hmac, nowSeconds + 62)).toMatchObject({
      fault: { code: 'expired' },
    });
  });

  it('prints an unsigned URL of this machine when the environment is empty', async () => {
    const { stdout } = await runCommandInProcess(['sign', '--unit', 'a', '--src', 'https://x.test/a.jpg']);
    expect(stdout).toBe('http://127.0.0.1:3000/u/a?src=https%3A%2F%2Fx.test%2Fa.jpg\n');
  });

  it('starts URLs with PUBLIC_URL, which may end in a slash, or with nothing', async () => {
    const args = ['sign', '--unit', 'a', '--src', 'https://x.test/a.jpg'];
    const target = '/u/a?src=https%3A%2F%2Fx.test%2Fa.jpg';
    for (const PUBLIC_URL of ['https://images.test', 'https://images.test/']) {
      expect((await runCommandInProcess(args, { PUBLIC_URL })).stdout).toBe(`https://images.test${target}\n`);
      expect((await runCommandInProcess([...args, '--relative'], { PUBLIC_URL })).stdout).toBe(`${target}\n`);
    }
  });

  it('prints a srcset whose URLs the service accepts, for each width of the ladder or the rungs of those that are named', async () => {
    const env = { SIGNING_KEYS: `${KEY.id}:${KEY.hex}`, WIDTHS: '160,320,720' };
    const srcset = async (...more: string[]) => {
      const args = [
        'sign',
        '--unit',
        'a',
        '--src',
        'https://x.test/a,b.jpg',
        '--relative',
        '--srcset',
        ...more,
      ];
      return (await runCommandInProcess(args, env)).stdout.trimEnd().split(', ');
    };
    const all = await srcset('--f', 'webp');
    expect(all.map((candidate) => candidate.split(' ')[1])).toEqual(['160w', '320w', '720w']);
    for (const candidate of all) {
      const [url = '', width] = candidate.split(' ');
      const parsed = parseRequest(url);
      if (!parsed.ok) throw new Error(parsed.fault.detail);
      expect(`${parsed.value.width}w`).toBe(width);
      expect(verifySignature(parsed.value, [KEY], hmac, 0).ok).toBe(true);
    }
    const some = await srcset('--widths', '700,161,162');
    expect(some.map((candidate) => candidate.split(' ')[1])).toEqual(['320w', '720w']);
  });

  it.each([
    ['--w', 'x', '--w must be a whole number of pixels, 1 or more; it is "x".'],
    ['--w', '0x10', '--w must be a whole number of pixels, 1 or more; it is "0x10".'],
    ['--w', '1.5', '--w must be a whole number of pixels, 1 or more; it is 1.5.'],
    [
      '--exp',
      'tomorrow',
      '--exp must be a Unix time in whole seconds, such as 1900000000; it is "tomorrow".',
    ],
  ])('says of %s %s what it has to be', async (option, value, message) => {
    const args = ['sign', '--unit', 'a', '--src', 'https://x.test/a.jpg', option, value];
    expect(await runCommandInProcess(args)).toMatchObject({ status: 1, stderr: `${message}\n` });
  });

  it('signs a line for each image of standard input, and refuses the others by their number', async () => {
    const lines = [
      '{"src": "https://x.test/a.jpg"}',
      'nonsense',
      '',
      '{"unit": "b", "src": "https://x.test/b.jpg", "w": 320, "q": "saver", "f": "avif", "exp": 1900000000}',
      '{"src": "https://x.test/c.jpg", "width": 320}',
      '{"src": "c.jpg"}',
      '{"src": "https://x.test/c.jpg", "w": -1}',
      '{"unit": "c"}',
      '["https://x.test/c.jpg"]',
      '{"src": 5}',
      '{"src": "https://x.test/c.jpg", "exp": "soon"}',
    ];
    const args = ['sign', '-', '--unit', 'a', '--w', '720', '--relative'];
    const { status, stdout, stderr } = await runCommandInProcess(args, {}, lines.join('\n'));
    expect(stdout.split('\n')).toEqual([
      '/u/a?src=https%3A%2F%2Fx.test%2Fa.jpg&w=720',
      '/u/b?src=https%3A%2F%2Fx.test%2Fb.jpg&w=320&q=saver&f=avif&exp=1900000000',
      '',
    ]);
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^line 2: not JSON: /),
      expect.stringMatching(/^line 5: unknown `width`: .* unit, src, w, q, f, exp$/),
      expect.stringMatching(/^line 6: `src` must be an absolute/),
      expect.stringMatching(/^line 7: `w` must be .* it is -1$/),
      'line 8: `src` is missing',
      expect.stringMatching(/^line 9: it must be an object/),
      'line 10: `src` must be a text',
      'line 11: `exp` must be a Unix time in whole seconds, such as 1900000000; it is "soon"',
      '8 lines refused',
    ]);
    expect(status).toBe(2);
  });

  it('prints with --json a line for each image, with its fields, and one for each that is refused', async () => {
    const image = { unit: 'a', src: 'https://x.test/a.jpg', w: 320 };
    const input = `${JSON.stringify(image)}\n{}\n`;
    const { status, stdout } = await runCommandInProcess(['sign', '-', '--json', '--relative'], {}, input);
    expect(status).toBe(2);
    expect(parseLines(stdout)).toEqual([
      { ...image, url: '/u/a?src=https%3A%2F%2Fx.test%2Fa.jpg&w=320' },
      { line: 2, state: 'refused', detail: '`unit` is missing' },
    ]);
    const one = ['sign', '--unit', 'a', '--src', 'https://x.test/a.jpg', '--json', '--relative'];
    expect(parseLines((await runCommandInProcess([...one, '--srcset', '--widths', '320'])).stdout)).toEqual([
      { unit: 'a', src: 'https://x.test/a.jpg', srcset: '/u/a?src=https%3A%2F%2Fx.test%2Fa.jpg&w=320 320w' },
    ]);
  });

  it.each<[string, string[], RegExp]>([
    ['a source that is missing', ['--unit', 'a'], /--src/],
    ['a unit with a space', ['--unit', 'a b', '--src', 'https://x.test/a'], /--unit/],
    ['a relative source', ['--unit', 'a', '--src', 'a.jpg'], /--src/],
    ['a width that is not a number', ['--unit', 'a', '--src', 'https://x.test/a', '--w', 'wide'], /--w/],
    ['a hexadecimal width', ['--unit', 'a', '--src', 'https://x.test/a', '--w', '0x10'], /--w/],
    ['a blank expiry time', ['--unit', 'a', '--src', 'https://x.test/a', '--exp', ' '], /--exp/],
    [
      'two expiry times',
      ['--unit', 'a', '--src', 'https://x.test/a', '--exp', '1', '--expires-in', '1'],
      /not both/,
    ],
    [
      '--widths without --srcset',
      ['--unit', 'a', '--src', 'https://x.test/a', '--widths', '320'],
      /--srcset/,
    ],
    [
      '--w with --srcset',
      ['--unit', 'a', '--src', 'https://x.test/a', '--w', '320', '--srcset'],
      /--w is one/,
    ],
    [
      'a list that is none',
      ['--unit', 'a', '--src', 'https://x.test/a', '--srcset', '--widths', 'a'],
      /whole/,
    ],
    ['both a source and a file', ['-', '--src', 'https://x.test/a'], /not both/],
    ['an unknown option', ['--unit', 'a', '--src', 'https://x.test/a', '--colour', 'red'], /--colour/],
  ])('ends with 1, names the fault and prints no URL when given %s', async (_, args, message) => {
    const { status, stdout, stderr } = await runCommandInProcess(['sign', ...args]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('names every variable of the environment that is wrong', async () => {
    const { status, stdout, stderr } = await runCommandInProcess(
      ['sign', '--unit', 'a', '--src', 'https://x.test/a'],
      { PORT: 'x', SIGNING_KEYS: 'y' },
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/PORT: [\s\S]*SIGNING_KEYS: /);
  });
});
