import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { checkAnswer } from '../check-answer.ts';
import { Finding } from '../finding.ts';
import { type Kind, kind } from '../kind.ts';
import { type KeptConnection, keptConnection } from '../raw-connection.ts';
import { share } from '../share.ts';
import { CLOSED_AUTHORITY, SIGNING_KEY, type Target } from '../target.ts';

interface UrlInput {
  method: 'GET' | 'HEAD';
  /** As it is sent; bytes, since it need not be text. */
  target: Uint8Array;
  headers: string;
  /** Whether no key has signed it. */
  isForged: boolean;
}

const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
  src: fc.oneof(
    fc.constantFrom(
      ...['http', 'HTTP', 'https'].map((scheme) => `${scheme}://${CLOSED_AUTHORITY}/a.jpg`),
      `http://${CLOSED_AUTHORITY}/../%2e%2e/a'b?c#d`,
      'http://127.0.0.1:9@10.0.0.1/',
      'http://[::ffff:127.0.0.1]:9/',
      'http://0x7f.1:9/',
      's3://bucket/key',
      'file:///etc/passwd',
      'data:image/png;base64,AAAA',
      '',
    ),
    fc.webUrl(),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.nat(7000).map((length) => `http://${CLOSED_AUTHORITY}/${'a'.repeat(length)}`),
  ),
  w: fc.oneof(
    fc.constantFrom('1', '160', '0', '-1', '1e3', '٣', '99999999999999999999', '16384', ' 5', '0x10'),
    fc.string({ maxLength: 8 }),
  ),
  q: fc.oneof(
    fc.constantFrom('saver', 'balanced', 'high', 'HIGH', '__proto__', 'constructor'),
    fc.string({ maxLength: 8 }),
  ),
  f: fc.oneof(
    fc.constantFrom('avif', 'webp', 'jpeg', 'auto', 'png', 'toString'),
    fc.string({ maxLength: 8 }),
  ),
  exp: fc.constantFrom('0', '1', '9999999999', '-1', '1e99', 'NaN', ''),
  sig: fc.constantFrom('fuzz.', 'fuzz', '.', 'other.AAAA', `fuzz.${'A'.repeat(43)}`, ''),
  x: fc.string({ maxLength: 8 }),
};

const parameter = fc
  .constantFrom(...Object.keys(values))
  .chain((name) => fc.tuple(fc.constant(name), values[name] as fc.Arbitrary<string>, fc.nat(9)))
  .map(([name, value, how]) => `${name}=${how === 0 ? value : encodeAnything(value)}`);

const unit = fc.oneof(
  fc.constantFrom(
    'u1',
    '..',
    '.',
    '%2e%2e',
    'a/b',
    'a%2fb',
    '~',
    'u'.repeat(128),
    'u'.repeat(129),
    '__proto__',
    '',
  ),
  fc.string({ maxLength: 12 }),
);

/** A place, as a share of the length, and what is written there. */
const change = fc.record({
  at: share,
  removed: fc.nat(3),
  text: fc.oneof(
    fc.constantFrom(
      '',
      '%',
      '%00',
      '%ff',
      '%c0%af',
      '&',
      '=',
      '?',
      '#',
      '+',
      "'",
      '%27',
      ' ',
      '\t',
      '\0',
      '/',
      '//',
      '\\',
      '&sig=',
      '\u00e9',
      '&src=',
    ),
    fc.string({ maxLength: 4 }),
  ),
});

const changes = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  fc.array(change, { minLength: 1, maxLength: 2 }),
);

const header = fc.constantFrom(
  'Accept: image/avif,image/webp,*/*;q=0.8\r\n',
  'Accept: image/avif;q=1e9, image/webp;q=, ;;;,,, */*\r\n',
  'Save-Data: on\r\n',
  'Save-Data: \r\n',
  'If-None-Match: *\r\n',
  'If-None-Match: W/"a", "b, \\"\r\n',
  'If-Range: "x"\r\nRange: bytes=0-0\r\n',
  'Range: bytes=-1,5-,9999999999999999999-\r\n',
  'Range: bytes=5-1\r\n',
  'CDN-Loop: edgepress\r\n',
  'traceparent: 00-zz-1-\r\n',
  `Accept: ${'image/webp,'.repeat(900)}\r\n`,
);

const inputs: fc.Arbitrary<UrlInput> = fc
  .record({
    method: fc.constantFrom('GET' as const, 'GET' as const, 'GET' as const, 'HEAD' as const),
    unit,
    parameters: fc.oneof(fc.constant([]), fc.array(parameter, { maxLength: 6 })),
    hasSource: fc.boolean(),
    before: changes,
    isSigned: fc.boolean(),
    after: changes,
    headers: fc.array(header, { maxLength: 3 }),
  })
  .map(({ method, unit, parameters, hasSource, before, isSigned, after, headers }) => {
    const source = `src=${encodeURIComponent(`http://${CLOSED_AUTHORITY}/a.jpg`)}`;
    const query = [...(hasSource ? [source] : []), ...parameters].join('&');
    const text = applyChanges(`/u/${unit}?${query}`, before);
    const signed = isSigned ? `${text}&sig=${SIGNING_KEY.id}.${hmac(text)}` : text;
    const target = applyChanges(signed, after);
    return {
      method,
      target: Buffer.from(target),
      headers: headers.join(''),
      isForged: !isSigned || target !== signed,
    };
  });

/** Image URLs, signed and then changed, or changed and then signed, with headers that negotiate. No forged one may reach its source. */
export const urlsKind: Kind = kind<UrlInput>({ name: 'urls', concurrency: 2, inputs, send: requestUrl });

const connections = new WeakMap<Target['server'], KeptConnection[]>();

async function requestUrl(
  { method, target: url, headers, isForged }: UrlInput,
  target: Target,
): Promise<string> {
  const free = connections.get(target.server) ?? [];
  connections.set(target.server, free);
  const connection = free.pop() ?? keptConnection(target.server.port);
  const request = Buffer.concat([
    Buffer.from(`${method} `),
    url,
    Buffer.from(` HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`),
  ]);
  // With a line break or a space in it, it is another request, or two.
  if (/[\r\n]/.test(Buffer.from(url).toString('latin1'))) return 'not sent';
  const isHead = method === 'HEAD';
  const answer = await connection.request(request, isHead);
  free.push(connection);
  const outcome = await checkAnswer(answer, isHead);
  if (isForged && !isRefusal(answer.status)) {
    if (!isApostropheOnly(url)) throw new Finding(`a URL that no key has signed is answered with ${outcome}`);
  }
  return outcome;
}

/**
 * Whether a status says that no source was asked: of the URL (400 to 404, 414), of headers that are too large (431), or of a page for those who
 * have logged in, where nothing is left of the path (303).
 */
function isRefusal(status: number): boolean {
  return (status >= 400 && status <= 404) || status === 303 || status === 414 || status === 431;
}

/** Clients may rewrite these characters in a signed query. */
function isApostropheOnly(url: Uint8Array): boolean {
  return /['"<> ]|%2[027]|%3[ce]/i.test(Buffer.from(url).toString('latin1'));
}

function applyChanges(
  text: string,
  changes: readonly { at: number; removed: number; text: string }[],
): string {
  return changes.reduce((before, { at, removed, text }) => {
    const place = Math.floor(at * before.length);
    return before.slice(0, place) + text + before.slice(place + removed);
  }, text);
}

function hmac(text: string): string {
  return createHmac('sha256', Buffer.from(SIGNING_KEY.hex, 'hex')).update(text).digest('base64url');
}

/** Lone surrogates cannot be encoded: they are replaced. */
function encodeAnything(value: string): string {
  return encodeURIComponent(Buffer.from(value).toString());
}
