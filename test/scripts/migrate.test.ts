import { describe, expect, it } from 'vitest';
import { runCommandInProcess } from '../support/command.ts';

const URLS = [
  '/sig/rs:fit:300/bl:5/plain/https://x.test/a.jpg@webp',
  '/sig/plain/b.jpg',
  '/sig/w:90/plain/https://x.test/c',
];

describe('the command migrate', () => {
  it('prints a URL for each that can be translated, and says of the others why not', async () => {
    const { status, stdout, stderr } = await runCommandInProcess(
      ['migrate', 'imgproxy', '--unit', 'unit-1', ...URLS],
      {
        PUBLIC_URL: 'https://images.example.com/',
      },
    );
    expect(stdout.split('\n')).toEqual([
      'https://images.example.com/u/unit-1?src=https%3A%2F%2Fx.test%2Fa.jpg&w=300&f=webp',
      'https://images.example.com/u/unit-1?src=https%3A%2F%2Fx.test%2Fc&w=90',
      '',
    ]);
    expect(stderr.split('\n')).toEqual([
      `${URLS[0]}: lost: \`bl:5\` has no equivalent`,
      `${URLS[1]}: the source \`b.jpg\` is relative: say to what with --origin`,
      '',
    ]);
    expect(status).toBe(2);
  });

  it('prints all that there is to know as JSON', async () => {
    const args = ['migrate', 'imgproxy', '--unit', 'unit-1', '--json', ...URLS.slice(0, 2)];
    const { stdout, stderr } = await runCommandInProcess(args, { SIGNING_KEYS: `k1:${'00'.repeat(16)}` });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        from: URLS[0],
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:3000\/u\/unit-1\?.*&f=webp&sig=k1\.[\w-]{43}$/),
        lost: ['`bl:5` has no equivalent'],
      },
      { from: URLS[1], error: expect.stringContaining('relative') },
    ]);
    expect(stderr).toBe('');
  });

  it.each([
    ['a unit that is none', ['imgproxy', '--unit', 'a b', ...URLS], /--unit/],
    ['a service that it does not know', ['imgproxi', '--unit', 'a', ...URLS], /imgproxy, thumbor/],
    ['no unit', ['imgproxy', ...URLS], /--unit/],
  ])('ends with 1 and prints no URL when given %s', async (_, args, message) => {
    const { status, stdout, stderr } = await runCommandInProcess(['migrate', ...args]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
