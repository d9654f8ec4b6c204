import { describe, expect, it } from 'vitest';
import { hmac } from '../../src/hashing.ts';
import { parseRequest } from '../../src/protocol/request.ts';
import { verifySignature } from '../../src/protocol/signature.ts';
import { runCommandInProcess } from '../support/command.ts';

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

  it.each<[string, string[], RegExp]>([
    ['a source that is missing', ['--unit', 'a'], /--src/],
    ['a unit with a space', ['--unit', 'a b', '--src', 'https://x.test/a'], /--unit/],
    ['a relative source', ['--unit', 'a', '--src', 'a.jpg'], /--src/],
    ['a width that is not a number', ['--unit', 'a', '--src', 'https://x.test/a', '--w', 'wide'], /--w/],
    [
      'two expiry times',
      ['--unit', 'a', '--src', 'https://x.test/a', '--exp', '1', '--expires-in', '1'],
      /not both/,
    ],
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
