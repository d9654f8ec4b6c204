import { describe, expect, it } from 'vitest';
import { createRedirectCookies } from '../../src/source/redirect-cookies.ts';

describe('the cookies of a fetch', () => {
  it('go out over TLS only if they were set over TLS, and over both otherwise', () => {
    const cookies = createRedirectCookies();
    cookies.store(new URL('https://images.test/'), 'secret=1; Path=/');
    cookies.store(new URL('http://images.test/'), 'plain=1');
    expect(cookies.headerFor(new URL('http://images.test/'))).toBe('plain=1');
    expect(cookies.headerFor(new URL('https://images.test:8443/'))).toBe('secret=1; plain=1');
    expect(cookies.headerFor(new URL('https://other.test/'))).toBeUndefined();
  });

  it('do not hold more than a browser takes', () => {
    const cookies = createRedirectCookies();
    const url = new URL('https://images.test/');
    cookies.store(url, [`long=${'x'.repeat(5000)}`, 'no pair', '=nameless', 'kept = 1 ']);
    expect(cookies.headerFor(url)).toBe('kept=1');
  });
});
