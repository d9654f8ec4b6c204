import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/unit/input/input-fault.ts';
import { tableOf } from '../../support/markdown.ts';
import { readInput } from '../../support/unit/read-input.ts';
import { toZstd } from '../../support/unit/zstd.ts';
import { ODDITIES } from './oddities.ts';

const UNITS = [
  { id: 'a', images: { front: 'https://x.test/1', back: 'https://x.test/2' } },
  { id: 'b', images: { front: 'https://x.test/ä' } },
];
const URLS = UNITS.map(({ id, images }) => [id, images.front, images.back ?? '']);

const FORMATS: Readonly<Record<string, string>> = {
  NDJSON: UNITS.map((unit) => JSON.stringify(unit)).join('\n'),
  'JSON array': JSON.stringify(UNITS),
  'JSON array over many lines': JSON.stringify(UNITS, null, 2),
  'JSON objects over many lines': UNITS.map((unit) => JSON.stringify(unit, null, '\t')).join('\n'),
  CSV: ['id,front,back', ...URLS.map((cells) => cells.map((cell) => `"${cell}"`).join(','))].join('\r\n'),
  'CSV with semicolons': ['sep=;', 'ID;front;back', ...URLS.map((cells) => cells.join(';'))].join('\r\n'),
  TSV: ['front\tid\tback', ...URLS.map(([id, front, back]) => [front, id, back].join('\t'))].join('\n'),
};

const TEXTS: Readonly<Record<string, (text: string) => Buffer>> = {
  'UTF-8': (text) => Buffer.from(text),
  'UTF-8 with a byte order mark': (text) => Buffer.from(`\uFEFF${text}`),
  'UTF-16 LE with a byte order mark': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  'UTF-16 BE with a byte order mark': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
  'UTF-16 LE': (text) => Buffer.from(text, 'utf16le'),
};

const COMPRESSIONS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  'gzip in several members': (bytes) =>
    Buffer.concat([gzipSync(bytes.subarray(0, 9)), gzipSync(bytes.subarray(9))]),
  zstd: (bytes) => toZstd(bytes),
  'zstd in several frames': (bytes) =>
    Buffer.concat([toZstd(bytes.subarray(0, 9)), toZstd(bytes.subarray(9))]),
  'gzip, sent as gzip': (bytes) => gzipSync(gzipSync(bytes)),
};

const all = Object.keys(FORMATS).flatMap((format) =>
  Object.keys(TEXTS).flatMap((text) =>
    Object.keys(COMPRESSIONS).map((compression) => ({ format, text, compression })),
  ),
);

describe('an input', () => {
  it.each(all)('of $format in $text, compressed with $compression, is read the same', async (how) => {
    const { format, text, compression } = how;
    const bytes = COMPRESSIONS[compression]?.(TEXTS[text]?.(FORMATS[format] ?? '') ?? Buffer.alloc(0)) ?? '';
    for (const pieceBytes of [1, 7, 2 ** 16]) {
      const { units, refused } = await readInput(bytes, { pieceBytes });
      expect(units).toEqual([
        'a: front https://x.test/1, back https://x.test/2',
        'b: front https://x.test/ä',
      ]);
      expect(refused).toEqual([]);
    }
  });

  it('is described with all of its forms in the documents', () => {
    const rows = (heading: string) => tableOf('docs/unit-input.md', heading).map(([name]) => name);
    expect(rows('format')).toEqual(Object.keys(FORMATS));
    expect(rows('text')).toEqual(Object.keys(TEXTS));
    expect(rows('compression')).toEqual(Object.keys(COMPRESSIONS));
  });
});

describe('the table of oddities in the documents', () => {
  const documented = tableOf('docs/unit-input.md', 'oddity');

  it('has a row for each', () => {
    expect(documented.map(([name]) => name)).toEqual(Object.keys(ODDITIES));
  });

  it.each(Object.entries(ODDITIES))('tells what becomes of: %s', async (name, input) => {
    const row = documented.find(([oddity]) => oddity === name);
    expect(row).toEqual([name, await outcomeOf(input)]);
  });
});

/** The cell of the table. */
async function outcomeOf(input: string | Uint8Array): Promise<string> {
  try {
    const { units, refused, notes } = await readInput(input);
    const taken =
      units.length === 0 ? 'nothing is taken' : `taken: ${units.map((unit) => `\`${unit}\``).join('; ')}`;
    return [taken, ...refused.map((line) => `refused: ${line}`), ...notes.map((note) => `said: ${note}`)]
      .join('<br>')
      .replaceAll('|', '\\|');
  } catch (error) {
    if (!(error instanceof InputFault)) throw error;
    return `refused as a whole${error.isOtherType ? ' (415)' : ' (400)'}: ${error.message}`;
  }
}
