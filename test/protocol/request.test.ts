import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnit, parseRequest, UNIT_RULE } from '../../src/protocol/request.ts';

const SRC = 'src=https%3A%2F%2Fexample.com%2Fa.jpg';

/** Returns the parameter that is wrong in a target. */
function wrongParameter(target: string): string | undefined {
  const parsed = parseRequest(target);
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.value)}`);
  expect(parsed.fault.code).toBe('bad_request');
  return parsed.fault.parameter;
}

function parse(target: string) {
  const parsed = parseRequest(target);
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return parsed.value;
}

describe('parseRequest', () => {
  it('reads every parameter', () => {
    const target = `/u/unit-1?${SRC}&w=700&q=high&f=webp&exp=1800000000&sig=k1.abc`;
    expect(parse(target)).toEqual({
      unit: 'unit-1',
      src: 'https://example.com/a.jpg',
      width: 700,
      tier: 'high',
      format: 'webp',
      expiresAt: 1_800_000_000,
      signature: 'k1.abc',
      signedText: target.slice(0, -'&sig=k1.abc'.length),
    });
  });

  it('adds nothing that the URL does not name', () => {
    expect(parse(`/u/a?${SRC}`)).toEqual({
      unit: 'a',
      src: 'https://example.com/a.jpg',
      signedText: `/u/a?${SRC}`,
    });
  });

  it('reads the format auto as none', () => {
    expect(parse(`/u/a?${SRC}&f=auto`).format).toBeUndefined();
  });

  it('decodes percent-encoding once, and keeps a plus', () => {
    expect(parse('/u/a?src=https://x.test/%2520+%C3%A9').src).toBe('https://x.test/%20+é');
    expect(parse("/u/a?src=https://x.test/it's(1)!*").src).toBe("https://x.test/it's(1)!*");
    expect(parse(`/u/a?${SRC}&w=%31%30`).width).toBe(10);
    expect(wrongParameter(`/u/a?${SRC}&w=1+0`)).toBe('w');
  });

  it('returns any source that a caller percent-encodes unchanged', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (src) => {
        return parse(`/u/a?src=${encodeURIComponent(src)}`).src === src;
      }),
    );
  });

  it('returns a request or a bad_request for any target', () => {
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

  it('accepts a target of 6,000 bytes, and no more', () => {
    // 24 bytes, and 1,992 characters of three bytes each.
    expect(parseRequest(`/u/a?src=https://x.test/${'%61'.repeat(1992)}`)).toMatchObject({ ok: true });
    expect(parseRequest(`/u/a?src=https://x.test/${'%61'.repeat(1993)}`)).toMatchObject({
      ok: false,
      fault: { code: 'bad_request', detail: expect.stringContaining('6,000') },
    });
  });

  it.each([
    ['an unknown parameter', `${SRC}&width=3`, 'width'],
    ['a parameter in capitals', `${SRC}&W=3`, 'W'],
    ['a percent-encoded name', `${SRC}&%77=3`, '%77'],
    ['an ampersand at the end', `${SRC}&`, ''],
    ['two ampersands', `${SRC}&&w=3`, ''],
    ['the name __proto__', `${SRC}&__proto__=3`, '__proto__'],
    ['the name constructor', `${SRC}&constructor=3`, 'constructor'],
    ['two sources', `${SRC}&${SRC}`, 'src'],
    ['the same parameter twice', `${SRC}&w=1&w=1`, 'w'],
    ['a parameter without an equals sign', `${SRC}&w`, 'w'],
    ['an empty format', `${SRC}&f=`, 'f'],
    ['an empty signature', `${SRC}&sig=`, 'sig'],
    ['a parameter after the signature', `${SRC}&sig=k.x&w=3`, 'sig'],
    ['two signatures', `${SRC}&sig=k.x&sig=k.x`, 'sig'],
  ])('refuses %s', (_name, query, parameter) => {
    expect(wrongParameter(`/u/a?${query}`)).toBe(parameter);
  });

  it('says that an expiry in milliseconds should be in seconds', () => {
    expect(parseRequest(`/u/a?${SRC}&exp=${1_800_000_000_000}`)).toMatchObject({
      fault: { parameter: 'exp', detail: '`exp` must be in seconds, and looks like milliseconds' },
    });
    expect(parse(`/u/a?${SRC}&exp=99999999999`).expiresAt).toBe(99_999_999_999);
  });

  it('says of what follows an unencoded & that src must be percent-encoded', () => {
    const { fault } = parseRequest('/u/a?src=https://x.test/a?b=1&b.png') as { fault: { detail: string } };
    expect(fault.detail).toMatch(/^`b.png` is not a parameter.*percent-encode `src`, & becomes %26$/);
    expect(parseRequest(`/u/a?width=1&${SRC}`)).toMatchObject({
      fault: { detail: expect.not.stringContaining('percent-encode') },
    });
  });

  it('shortens the name of an unknown parameter in its message', () => {
    expect(wrongParameter(`/u/a?${'y'.repeat(100)}=1`)?.length).toBeLessThan(50);
  });
});

describe('The path of an image URL', () => {
  it.each(['a', '...', '.a', '~-_.', 'Z'.repeat(128)])('may name the unit %s', (unit) => {
    expect(parse(`/u/${unit}?${SRC}`).unit).toBe(unit);
    expect(isUnit(unit)).toBe(true);
  });

  it.each(['', '.', '..', 'a/b', 'a%20b', '%2e%2e', 'é', 'a b', 'Z'.repeat(129), "a'b"])(
    'may not name the unit %j',
    (unit) => {
      expect(wrongParameter(`/u/${unit}?${SRC}`)).toBe('unit');
      expect(isUnit(unit)).toBe(false);
    },
  );

  it('must start with /u/', () => {
    expect(wrongParameter(`/x/a?${SRC}`)).toBe('unit');
  });

  it('is refused with the rule for units, which ends without dots', () => {
    const parsed = parseRequest(`/u/..?${SRC}`);
    expect(parsed).toMatchObject({
      fault: { detail: `\`unit\` in the path /u/{unit} must be ${UNIT_RULE}` },
    });
    expect(UNIT_RULE).toBe('1 to 128 characters of A-Z a-z 0-9 . _ ~ - (but not "." or "..")');
  });
});

describe('The value of a parameter', () => {
  it.each(
    Object.entries({
      w: ['0', '-1', '1.5', '1e3', '0x10', '0100', '+5', 'abc', 'NaN', '%20'],
      q: ['', 'best', 'High', '80'],
      f: ['png', 'AVIF', 'image/avif'],
      exp: ['-1', '1.5', 'tomorrow', '01'],
    }).flatMap(([name, values]) => values.map((value) => [name, value] as const)),
  )('may not be %s=%s', (name, value) => {
    expect(wrongParameter(`/u/a?${SRC}&${name}=${value}`)).toBe(name);
  });

  it('may be a width of any size and an expiry of 0', () => {
    expect(parse(`/u/a?${SRC}&w=99999999999999999999`).width).toBe(1e20);
    expect(parse(`/u/a?${SRC}&exp=0`).expiresAt).toBe(0);
  });

  it.each(['%', '%zz', '%C3', '%ED%A0%80', 'é', 'a b', 'a\tb'])(
    'must be percent-encoded UTF-8, which %j is not',
    (value) => {
      expect(wrongParameter(`/u/a?src=https://x.test/${value}`)).toBe('src');
    },
  );

  // The engines of the server and the edge disagree about `$` in a regular expression before these.
  it.each(['%0A', '%0D', '%09', '%00', '%7F'])('may not end in the control character %s', (end) => {
    for (const [name, value] of Object.entries({ w: '10', q: 'high', f: 'webp', exp: '10', sig: 'k.x' }))
      expect(wrongParameter(`/u/a?${SRC}&${name}=${value}${end}`)).toBe(name);
  });
});

describe('A source', () => {
  it.each([
    'https://x.test',
    'HTTPS://X.TEST/A.JPG',
    'http://x.test:8080/a?b=c&d=e#f',
    'http://[2001:db8::1]:80/a',
    'https://münchen.test/bild größe.jpg',
    'https://x.test/user@host/a.jpg',
    's3://my-bucket/a/b c.jpg',
    // Line separators, which `.` in a regular expression matches in some engines.
    'https://x.test/\u2028a\u2029',
  ])('may be %s', (src) => {
    expect(parse(`/u/a?src=${encodeURIComponent(src)}`).src).toBe(src);
  });

  it.each(['/u/a', '/u/a?', '/u/a?w=3'])('may not be missing, as in %s', (target) => {
    expect(wrongParameter(target)).toBe('src');
  });

  it.each([
    ['a relative path', 'a.jpg'],
    ['a URL without a scheme', '//x.test/a.jpg'],
    ['an ftp URL', 'ftp://x.test/a'],
    ['a file', 'file:///etc/passwd'],
    ['a data URL', 'data:image/png;base64,AA'],
    ['a script', 'javascript:alert(1)'],
    ['a scheme without slashes', 'https:x.test/a'],
    ['a scheme with one slash', 'https:/x.test/a'],
    ['a scheme alone', 'https://'],
    ['an empty host', 'https:///a'],
    ['a port above 65535', 'https://x.test:99999/a'],
    ['a port that is no number', 'https://x.test:8a/a'],
    ['a host with a space', 'https://a b.test/'],
    ['an IPv6 address without its bracket', 'https://[::1/a'],
    ['a space at the start', ' https://x.test/a'],
    ['a space at the end', 'https://x.test/a '],
    ['a line break', 'https://x.test/a\nb'],
    ['a NUL', 'https://x.test/a\u0000'],
    ['a bucket without a key', 's3://bucket'],
    ['an empty key', 's3://bucket/'],
    ['an empty bucket', 's3:///key'],
    ['a bucket with a space', 's3://buc ket/key'],
    ['user and password', 'https://user:pass@x.test/a'],
    ['a user', 'https://user@x.test/'],
    ['the credentials of a bucket', 's3://k:s@bucket/key'],
    ['two at signs', 'http://a@b@c/'],
    ['a long s, which is an s without regard to case, in http', 'httpſ://x.test/a'],
    ['a long s in s3', 'ſ3://x.test/a'],
  ])('may not be or have %s', (_name, src) => {
    expect(wrongParameter(`/u/a?src=${encodeURIComponent(src)}`)).toBe('src');
  });

  it('may be 4,096 characters long, and no longer', () => {
    const src = (length: number) => `https://x.test/${'a'.repeat(length - 15)}`;
    expect(parse(`/u/a?src=${src(4096)}`).src).toHaveLength(4096);
    expect(wrongParameter(`/u/a?src=${src(4097)}`)).toBe('src');
  });

  it('counts an emoji as one character, as the edge does', () => {
    const faces = `https://x.test/${'a'.repeat(4061)}${'😀'.repeat(20)}`;
    expect(parse(`/u/a?src=${faces.replaceAll('😀', encodeURIComponent('😀'))}`).src).toBe(faces);
  });
});
