import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import type { SentRequest } from './njs.ts';

export const KEYS = [
  { id: 'k1', hex: '00112233445566778899aabbccddeeff' },
  { id: 'old', hex: 'ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100' },
] as const;
export const KEYS_TEXT = KEYS.map(({ id, hex }) => `${id}:${hex}`).join(',');

/** Signs a target like a caller. */
export function sign(target: string, { id, hex }: { id: string; hex: string } = KEYS[0]): string {
  const mac = createHmac('sha256', Buffer.from(hex, 'hex')).update(target).digest('base64url');
  return `${target}&sig=${id}.${mac}`;
}

/** Texts that decoders, URL parsers and regular expressions of different engines may read differently. */
const HARD_TEXTS = [
  "it's (1)!*",
  'a+b c%20d',
  '100%',
  '%2F%2e%2E/../.',
  'größe',
  'картинка',
  '写真',
  'صورة',
  'तस्वीर',
  'ภาพ',
  '그림',
  '😀👩‍👩‍👧',
  'e\u0301',
  '\u2028\u2029\u0085',
  'ſK',
  'a&b=c#d?e;f',
  '"<>\\^`{|}',
  '\u0000',
  '\r\n',
  'x'.repeat(300),
];

const text = fc.oneof(fc.constantFrom(...HARD_TEXTS), fc.string({ unit: 'grapheme' }), fc.string());
const host = fc.constantFrom(
  'example.com',
  'EXAMPLE.com:8080',
  '[2001:db8::1]',
  'münchen.test',
  'a@b',
  'x:99999',
  '',
);
const source = fc.oneof(
  fc
    .tuple(fc.constantFrom('https://', 'http://', 's3://', 'HTTPS://', 'ftp://', 'https:/', ''), host, text)
    .map(([scheme, at, path]) => `${scheme}${at}/${path}`),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.nat(4200).map((length) => `https://example.com/${'é'.repeat(length)}`),
);
/** Percent-encoded in the ways of different callers: every byte, as little as possible, or not at all. */
const encoded = fc
  .tuple(
    source,
    fc.constantFrom(encodeURIComponent, encodeURI, escapeAll, (raw: string) => raw),
  )
  .map(([raw, encode]) => encode(wellFormed(raw)));
const unit = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._~-]{1,128}$/),
  fc.constantFrom('unit-1', '.', '..', '...', 'a%20b', "a'b", 'a/b', '', 'Z'.repeat(129), 'é'),
);
const parameter: fc.Arbitrary<[name: string, value: string]> = fc.oneof(
  fc.tuple(
    fc.constant('w'),
    fc.oneof(
      fc.nat(5000).map(String),
      fc.constantFrom('0', '1.5', '%31', '1e3', '+5', '99999999999999999999'),
    ),
  ),
  fc.tuple(fc.constant('q'), fc.constantFrom('saver', 'balanced', 'high', 'High', 'best', '%73aver', '')),
  fc.tuple(fc.constant('f'), fc.constantFrom('avif', 'webp', 'jpeg', 'auto', 'png', 'av%69f')),
  // Never close to now, so that both sides agree whether it is past.
  fc.tuple(fc.constant('exp'), fc.constantFrom('0', '1500000000', '4000000000', '01', '-1', '1e10')),
  fc.tuple(fc.constantFrom('x', 'W', '__proto__', 'constructor', '%77', 'sig', 'src'), text),
);

const target = fc
  .record({
    path: fc.oneof(
      { weight: 9, arbitrary: unit.map((id) => `/u/${id}`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('/', '/u', '/U/a', '//u/a', '/u%2fa', '/favicon.ico', '/v1/ab/a'),
      },
    ),
    src: encoded,
    rest: fc.oneof(
      { weight: 2, arbitrary: fc.constant<[string, string][]>([]) },
      { weight: 2, arbitrary: fc.uniqueArray(parameter, { selector: ([name]) => name, maxLength: 4 }) },
      { weight: 1, arbitrary: fc.array(parameter, { maxLength: 4 }) },
    ),
    ending: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...KEYS).map((key) => (signed: string) => sign(signed, key)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          (signed: string) => signed,
          (signed: string) => `${sign(signed)}x`,
          (signed: string) => sign(signed, { id: 'none', hex: KEYS[0].hex }),
          (signed: string) => `${sign(signed)}&w=1`,
          (signed: string) => `${signed}&sig=`,
          (signed: string) => `${signed}&sig=%6b1.abc`,
          (signed: string) => `${signed}&`,
          (signed: string) => sign(sign(signed)),
        ),
      },
    ),
  })
  .map(({ path, src, rest, ending }) =>
    ending(`${path}?src=${src}${rest.map(([name, value]) => `&${name}=${value}`).join('')}`),
  )
  // Only what HTTP allows in a target. Other tests send line breaks.
  .map((sent) => sent.replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(wellFormed(character))));

const accept = fc.constantFrom(
  'image/avif,image/webp,image/apng,image/*,*/*;q=0.8',
  'image/webp,*/*',
  'image/*',
  'IMAGE/AVIF ; q=0.000, image/webp;q=1',
  'image/avif;q=x',
  'image/avif;level=1;q=0',
  '',
  ['text/html', 'image/avif'],
);
const saveData = fc.constantFrom('on', 'On ', 'off', '', 'on;x');

/** Requests of all kinds. Most of them are well-formed up to the signature. */
export const anyRequest: fc.Arbitrary<SentRequest> = fc.record({
  method: fc.oneof(
    { weight: 20, arbitrary: fc.constant('GET') },
    { weight: 2, arbitrary: fc.constant('HEAD') },
  ),
  target,
  headers: fc.record(
    {
      accept,
      'save-data': saveData,
      'cdn-loop': fc.constantFrom('cloudfront', 'edgepress', 'a;b=c, EdgePress ; v=1', 'edgepressed', ' , '),
    },
    { requiredKeys: [] },
  ),
});

/** Replaces lone surrogates, which UTF-8 cannot represent. */
function wellFormed(raw: string): string {
  return raw.replace(/\p{Surrogate}/gu, '\ufffd');
}

function escapeAll(raw: string): string {
  return [...Buffer.from(raw)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}
