import { describe, expect, it } from 'vitest';
import { hmac } from '../../src/hashing.ts';
import { parseRequest } from '../../src/protocol/request.ts';
import { verifySignature } from '../../src/protocol/signature.ts';
import { runProgram } from '../support/setup/program.ts';

const KEY = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };

async function run(args: string[], env: Record<string, string> = {}) {
  const program = runProgram('scripts/edgepress.ts', args, env);
  return { status: await program.ended, ...program.output };
}

describe('the command sign', () => {
  it('prints a URL that the service accepts', async () => {
    const args = [
      'sign',
      '--unit',
      'unit-1',
      '--src',
      "https://x.test/it's (1).jpg?a=b&c",
      '--w',
      '720',
      '--q',
      'saver',
      '--f',
      'avif',
      '--expires-in',
      '60',
    ];
    const env = {
      SIGNING_KEYS: `${KEY.id}:${KEY.hex},old:${'00'.repeat(16)}`,
      PUBLIC_URL: 'https://images.example.com',
    };
    const { status, stdout, stderr } = await run(args, env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^https:\/\/images\.example\.com\/u\/unit-1\?\S+\n$/);
    const parsed = parseRequest(stdout.trim().slice('https://images.example.com'.length));
    if (!parsed.ok) throw new Error(parsed.fault.detail);
    expect(parsed.value).toMatchObject({
      src: "https://x.test/it's (1).jpg?a=b&c",
      width: 720,
      tier: 'saver',
      format: 'avif',
    });
    const nowSeconds = Date.now() / 1000;
    expect(verifySignature(parsed.value, [KEY], hmac, nowSeconds).ok).toBe(true);
    expect(verifySignature(parsed.value, [KEY], hmac, nowSeconds + 62)).toMatchObject({
      fault: { code: 'expired' },
    });
  });

  it('prints an unsigned URL of this machine where nothing is set', async () => {
    const { stdout } = await run(['sign', '--unit', 'a', '--src', 'https://x.test/a.jpg']);
    expect(stdout).toBe('http://127.0.0.1:3000/u/a?src=https%3A%2F%2Fx.test%2Fa.jpg\n');
  });

  it('says what is wrong, and prints no URL', async () => {
    const wrong: [string[], RegExp][] = [
      [['--unit', 'a'], /--src/],
      [['--unit', 'a b', '--src', 'https://x.test/a'], /--unit/],
      [['--unit', 'a', '--src', 'a.jpg'], /`src`/],
      [['--unit', 'a', '--src', 'https://x.test/a', '--w', 'wide'], /`w`/],
      [['--unit', 'a', '--src', 'https://x.test/a', '--exp', '1', '--expires-in', '1'], /not both/],
      [['--unit', 'a', '--src', 'https://x.test/a', '--colour', 'red'], /--colour/],
    ];
    const ended = await Promise.all(wrong.map(([args]) => run(['sign', ...args])));
    ended.forEach(({ status, stdout, stderr }, index) => {
      expect(status).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(wrong[index]?.[1] ?? /never/);
    });
    expect(
      (await run(['sign', '--unit', 'a', '--src', 'https://x.test/a'], { PORT: 'x', SIGNING_KEYS: 'y' }))
        .stderr,
    ).toMatch(/PORT: [\s\S]*SIGNING_KEYS: /);
  });
});
