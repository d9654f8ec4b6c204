import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequest } from '../../src/protocol/request.ts';

const SRC = 'src=https%3A%2F%2Fexample.com%2Fa.jpg';

/** The parameter that a target is refused for. */
function blamed(target: string): string | undefined {
  const parsed = parseRequest(target);
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.value)}`);
  expect(parsed.fault.code).toBe('bad_request');
  return parsed.fault.parameter;
}

function accepted(target: string) {
  const parsed = parseRequest(target);
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return parsed.value;
}

describe('an image request', () => {
  it('is read whole, with nothing added to what was said', () => {
    const target = `/u/unit-1?${SRC}&w=700&q=high&f=webp&exp=1800000000&sig=k1.abc`;
    expect(accepted(target)).toEqual({
      unit: 'unit-1',
      src: 'https://example.com/a.jpg',
      width: 700,
      tier: 'high',
      format: 'webp',
      expiresAt: 1_800_000_000,
      signature: 'k1.abc',
      signedText: target.slice(0, -'&sig=k1.abc'.length),
    });
    expect(accepted(`/u/a?${SRC}`)).toEqual({
      unit: 'a',
      src: 'https://example.com/a.jpg',
      signedText: `/u/a?${SRC}`,
    });
    expect(accepted(`/u/a?${SRC}&f=auto`).format).toBeUndefined();
  });

  it('keeps every legal unit as it was sent', () => {
    for (const unit of ['a', '...', '.a', '~-_.', 'Z'.repeat(128)])
      expect(accepted(`/u/${unit}?${SRC}`).unit).toBe(unit);
  });

  it('is refused for a unit that is none', () => {
    const units = ['', '.', '..', 'a/b', 'a%20b', '%2e%2e', 'é', 'a b', 'Z'.repeat(129), "a'b"];
    for (const unit of units) expect(blamed(`/u/${unit}?${SRC}`)).toBe('unit');
    expect(blamed(`/x/a?${SRC}`)).toBe('unit');
  });

  it('has its values percent-decoded once, and a plus stays a plus', () => {
    expect(accepted('/u/a?src=https://x.test/%2520+%C3%A9').src).toBe('https://x.test/%20+é');
    expect(accepted("/u/a?src=https://x.test/it's(1)!*").src).toBe("https://x.test/it's(1)!*");
    expect(accepted(`/u/a?${SRC}&w=%31%30`).width).toBe(10);
    expect(blamed(`/u/a?${SRC}&w=1+0`)).toBe('w');
  });

  it('is refused for a value that is not percent-encoded UTF-8', () => {
    for (const value of ['%', '%zz', '%C3', '%ED%A0%80', 'é', 'a b', 'a\tb']) {
      expect(blamed(`/u/a?src=https://x.test/${value}`)).toBe('src');
    }
  });

  it('is refused for anything that is no parameter, stands twice, or has no value', () => {
    expect(blamed(`/u/a?${SRC}&width=3`)).toBe('width');
    expect(blamed(`/u/a?${SRC}&W=3`)).toBe('W');
    expect(blamed(`/u/a?${SRC}&%77=3`)).toBe('%77');
    expect(blamed(`/u/a?${SRC}&`)).toBe('');
    expect(blamed(`/u/a?${SRC}&&w=3`)).toBe('');
    expect(blamed(`/u/a?${SRC}&__proto__=3`)).toBe('__proto__');
    expect(blamed(`/u/a?${SRC}&constructor=3`)).toBe('constructor');
    expect(blamed(`/u/a?${SRC}&${SRC}`)).toBe('src');
    expect(blamed(`/u/a?${SRC}&w=1&w=1`)).toBe('w');
    expect(blamed(`/u/a?${SRC}&w`)).toBe('w');
    expect(blamed(`/u/a?${SRC}&f=`)).toBe('f');
    expect(blamed(`/u/a?${SRC}&sig=`)).toBe('sig');
    expect(blamed(`/u/a?${SRC}&sig=k.x&w=3`)).toBe('sig');
    expect(blamed(`/u/a?${SRC}&sig=k.x&sig=k.x`)).toBe('sig');
    expect(blamed(`/u/a?${'y'.repeat(100)}=1`)?.length).toBeLessThan(50);
  });

  it('is refused for a width, tier, format or expiry outside its range', () => {
    for (const w of ['0', '-1', '1.5', '1e3', '0x10', '0100', '+5', 'abc', 'NaN', '%20']) {
      expect(blamed(`/u/a?${SRC}&w=${w}`)).toBe('w');
    }
    for (const q of ['', 'best', 'High', '80']) expect(blamed(`/u/a?${SRC}&q=${q}`)).toBe('q');
    for (const f of ['png', 'AVIF', 'image/avif']) expect(blamed(`/u/a?${SRC}&f=${f}`)).toBe('f');
    for (const exp of ['-1', '1.5', 'tomorrow', '01']) expect(blamed(`/u/a?${SRC}&exp=${exp}`)).toBe('exp');
    expect(accepted(`/u/a?${SRC}&w=99999999999999999999`).width).toBe(1e20);
    expect(accepted(`/u/a?${SRC}&exp=0`).expiresAt).toBe(0);
  });

  it('is refused without a source, or with one that is no absolute URL of a kind that is fetched', () => {
    expect(blamed('/u/a')).toBe('src');
    expect(blamed('/u/a?')).toBe('src');
    expect(blamed('/u/a?w=3')).toBe('src');
    const bad = [
      'a.jpg',
      '//x.test/a.jpg',
      'ftp://x.test/a',
      'file:///etc/passwd',
      'data:image/png;base64,AA',
      'javascript:alert(1)',
      'https:x.test/a',
      'https:/x.test/a',
      'https://',
      'https:///a',
      'https://x.test:99999/a',
      'https://x.test:8a/a',
      'https://a b.test/',
      'https://[::1/a',
      ' https://x.test/a',
      'https://x.test/a ',
      'https://x.test/a\nb',
      'https://x.test/a\u0000',
      's3://bucket',
      's3://bucket/',
      's3:///key',
      's3://buc ket/key',
    ];
    for (const src of bad) expect(blamed(`/u/a?src=${encodeURIComponent(src)}`), src).toBe('src');
  });

  it('accepts the sources that clients have', () => {
    const good = [
      'https://x.test',
      'HTTPS://X.TEST/A.JPG',
      'http://x.test:8080/a?b=c&d=e#f',
      'http://[2001:db8::1]:80/a',
      'https://münchen.test/bild größe.jpg',
      'https://x.test/user@host/a.jpg',
      's3://my-bucket/a/b c.jpg',
    ];
    for (const src of good) expect(accepted(`/u/a?src=${encodeURIComponent(src)}`).src).toBe(src);
  });

  it('is refused when its source carries credentials', () => {
    for (const src of [
      'https://user:pass@x.test/a',
      'https://user@x.test/',
      's3://k:s@bucket/key',
      'http://a@b@c/',
    ]) {
      expect(blamed(`/u/a?src=${encodeURIComponent(src)}`)).toBe('src');
    }
  });

  it('is read alike by engines that disagree about line breaks, letters and lengths', () => {
    for (const end of ['%0A', '%0D', '%09', '%00', '%7F']) {
      for (const [name, value] of Object.entries({ w: '10', q: 'high', f: 'webp', exp: '10', sig: 'k.x' })) {
        expect(blamed(`/u/a?${SRC}&${name}=${value}${end}`)).toBe(name);
      }
    }
    for (const scheme of ['httpſ', 'ſ3']) {
      expect(blamed(`/u/a?src=${encodeURIComponent(`${scheme}://x.test/a`)}`)).toBe('src');
    }
    const lines = 'https://x.test/\u2028a\u2029';
    expect(accepted(`/u/a?src=${encodeURIComponent(lines)}`).src).toBe(lines);
    const faces = `https://x.test/${'a'.repeat(4061)}${'😀'.repeat(20)}`;
    expect(accepted(`/u/a?src=${faces.replaceAll('😀', encodeURIComponent('😀'))}`).src).toBe(faces);
  });

  it('takes a source of 4,096 characters and a target of 6,000 bytes, and no more', () => {
    const src = (length: number) => `https://x.test/${'a'.repeat(length - 15)}`;
    expect(accepted(`/u/a?src=${src(4096)}`).src).toHaveLength(4096);
    expect(blamed(`/u/a?src=${src(4097)}`)).toBe('src');
    // 24 bytes, and 1,992 characters of three bytes each.
    expect(parseRequest(`/u/a?src=https://x.test/${'%61'.repeat(1992)}`)).toMatchObject({ ok: true });
    expect(parseRequest(`/u/a?src=https://x.test/${'%61'.repeat(1993)}`)).toMatchObject({
      ok: false,
      fault: { code: 'bad_request', detail: expect.stringContaining('6,000') },
    });
  });

  it('is never read otherwise than as a request or a bad_request, whatever is sent', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.webUrl()),
        fc.string(),
        (src, rest) => {
          const parsed = parseRequest(
            `/u/a?src=${encodeURIComponent(src.replace(/[\uD800-\uDFFF]/g, ''))}${rest}`,
          );
          return parsed.ok || parsed.fault.code === 'bad_request';
        },
      ),
    );
  });

  it('gives back any source that a caller percent-encodes', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (src) => {
        return accepted(`/u/a?src=${encodeURIComponent(src)}`).src === src;
      }),
    );
  });
});
