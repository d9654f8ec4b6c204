import { gzipSync } from 'node:zlib';
import { frameHeader, zstdBomb } from '../../support/unit/zstd.ts';

const A = '{"id":"a","images":["https://x.test/1"]}';
const B = '{"id":"b","images":["https://x.test/2"]}';
const lines = (...all: string[]) => all.join('\n');
const unit = (fields: object) => JSON.stringify({ id: 'u', images: ['https://x.test/1'], ...fields });

/** Inputs as people send them, by what is odd about them. The documents tell what becomes of each. */
export const ODDITIES: Readonly<Record<string, string | Uint8Array>> = {
  'a number as id': unit({ id: 1_000_000_007 }),
  'a number as id that JSON rounds': '{"id":12345678901234567890,"images":["https://x.test/1"]}',
  'one URL as `images`': unit({ images: 'https://x.test/1' }),
  'an image that is `null`': unit({ images: { front: 'https://x.test/1', back: null } }),
  'an image that is empty': unit({ images: ['https://x.test/1', ''] }),
  'images that are all empty': unit({ images: [null, ''] }),
  'a number as an image': '{"id":"u","key_urls_map":{"front":7}}',
  'no `images`': '{"id":"u","urls":["https://x.test/1"]}',
  'a misspelt field': lines(unit({ maxbytes: 5000 }), A),
  'a field that may be misspelt': unit({ width: 4000, height: 3000 }),
  'fields of the sender’s own': lines(
    unit({ client: 'x' }),
    '{"id":"v","images":["https://x.test/2"],"client":"y"}',
  ),
  'an id that is sent twice': lines(A, '{"id":"a","images":["https://x.test/3"]}'),
  'a line that is no JSON': lines(A, '{"id":"u","images":', B),
  'an entry of an array without its end': `[${A},\n{"id":"u","images":["https://x.test/3"],\n${B}]`,
  'a text that is not closed, in an array': `[${A},\n{"id":"u","images":["https://x.test/3]},\n${B}]`,
  'an array that is cut off': `[${A},{"id":"u","ima`,
  'brackets nested a hundred deep': `{"id":"u","images":${'['.repeat(100)}${']'.repeat(100)}}`,
  'CSV, one URL a row': lines('id,url', 'a,https://x.test/1', 'b,https://x.test/2', 'a,https://x.test/3'),
  'CSV, columns with and without URLs': lines('id,title,scan,price', 'a,"Shoes, red",https://x.test/1,5'),
  'CSV, an empty cell': lines('id,front,back', 'a,https://x.test/1,https://x.test/2', 'b,https://x.test/3,'),
  'CSV, no URL in a row': lines('id,front,back', 'a,https://x.test/1,', 'b,,'),
  'CSV, a value in an image column that is no URL': lines('id,image', 'a,n/a'),
  'CSV, several URLs in a cell': lines('id,images', 'a,https://x.test/1 | https://x.test/2'),
  'CSV, other fields of a unit': lines('id;url;widths;maxBytes', 'a;https://x.test/1;480 720;50000'),
  'CSV, a column `for` of the sender’s own': lines('id,url,for', 'a,https://x.test/1,kids'),
  'CSV, a client that is misspelt': lines(
    'id,url,for',
    'a,https://x.test/1,andriod-app',
    'b,https://x.test/2,kids',
  ),
  'CSV, a quote that is not closed': lines(
    'id,url',
    'a,https://x.test/1',
    'u,"https://x.test/3',
    'b,https://x.test/2',
  ),
  'CSV, a line break in a cell': lines('id,title,url', 'a,"two', 'lines",https://x.test/1'),
  'CSV with a carriage return alone after each line': 'id,url\ra,https://x.test/1\rb,https://x.test/2\r',
  'CSV, a misspelt column': lines('id,url,wdiths', 'a,https://x.test/1,480'),
  'CSV without a column of ids': lines('name,url', 'a,https://x.test/1'),
  'text that is no input': 'hello\nworld',
  'an Excel workbook': 'PK\x03\x04',
  'gzip that is cut off': gzipSync(lines(A, 'x'.repeat(2 ** 17), B), { level: 0 }).subarray(0, 2 ** 16),
  'CSV in gzip that is cut off': gzipSync(
    lines('id,url', 'a,https://x.test/1', 'b,https://x.test/2', ...Array(2 ** 14).fill('c,https://x.test/3')),
    { level: 0 },
  ).subarray(0, 60),
  'gzip that unpacks to a thousand times its length': gzipSync(Buffer.alloc(2 ** 24, ' ')),
  'zstd that unpacks to 30,000 times its length': zstdBomb(10_000),
  'zstd with a window of 128 MiB': frameHeader(27),
  nothing: '',
};
