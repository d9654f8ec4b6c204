import { describe, expect, it } from 'vitest';
import { CommandFailure } from '../../../scripts/cli/command.ts';
import { createUnitSelection, type Selection } from '../../../scripts/prewarm/unit-selection.ts';

const DEFAULTS = {
  ladder: { widths: [320, 1080], defaultWidth: 1080 },
  prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif'] },
} as const;

const select = (selection: Selection, value: unknown) =>
  createUnitSelection(selection, DEFAULTS).toUnit(value);

/** The id and the sources of the selected unit. */
function selected(selection: Selection, value: unknown) {
  const { id, images } = select(selection, value);
  return [id, ...images.map(({ src, name }) => (name === undefined ? src : `${name} → ${src}`))];
}

describe('the options --id and --images', () => {
  it('find the id and the images in JSON of any shape', () => {
    const line = {
      task: { key: 'unit-7', number: 12 },
      assets: [
        { kind: 'photo', href: 'https://x.test/1.jpg' },
        { kind: 'sound', href: 'https://x.test/2.mp3' },
        { kind: 'photo', href: 'https://x.test/3.jpg' },
      ],
    };
    const images = "assets[?kind=='photo'].href";
    expect(selected({ id: 'task.key', images }, line)).toEqual([
      'unit-7',
      'https://x.test/1.jpg',
      'https://x.test/3.jpg',
    ]);
    expect(selected({ id: 'task.number', images: 'assets[0].href' }, line)).toEqual([
      '12',
      'https://x.test/1.jpg',
    ]);
    expect(selected({ id: '[0]', images: '[1]' }, ['a', ['https://x.test/1.jpg']])).toEqual([
      'a',
      'https://x.test/1.jpg',
    ]);
  });

  it('accept an object of name → URL, or one URL', () => {
    const line = { id: 'a', urls: { front: 'https://x.test/1.jpg' }, url: 'https://x.test/2.jpg' };
    expect(selected({ images: 'urls' }, line)).toEqual(['a', 'front → https://x.test/1.jpg']);
    expect(selected({ images: 'url' }, line)).toEqual(['a', 'https://x.test/2.jpg']);
  });

  it('are optional for fields in their documented places, those of 2017 included', () => {
    const url = 'https://x.test/1.jpg';
    expect(selected({}, { id: 'a', images: [url] })).toEqual(['a', url]);
    expect(selected({ id: 'key' }, { key: 5, images: [url] })).toEqual(['5', url]);
    expect(selected({ id: 'meta.id' }, { meta: { id: 'b' }, key_urls_map: { front: url } })).toEqual([
      'b',
      `front → ${url}`,
    ]);
  });

  it('keep the variants that a line requests', () => {
    const line = { key: 'a', url: 'https://x.test/1.jpg', widths: [300], formats: ['jpeg'] };
    expect(select({ id: 'key', images: 'url' }, line)).toMatchObject({ widths: [320], formats: ['jpeg'] });
  });

  it.each<[Selection, unknown, string]>([
    [
      { id: 'key' },
      { images: ['https://x.test/1'] },
      '--id found nothing (null): no text, and no whole number',
    ],
    [
      { id: 'key' },
      { key: 1.5, images: ['https://x.test/1'] },
      '--id found 1.5: no text, and no whole number',
    ],
    [{ id: 'key' }, { key: ['a'], images: ['https://x.test/1'] }, '--id found ["a"]: no text'],
    [{ id: 'key' }, JSON.parse('{"key":12345678901234567890,"images":["https://x.test/1"]}'), 'too large'],
    [
      { id: 'key' },
      { key: 'a/b', images: ['https://x.test/1'] },
      '`id` must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -',
    ],
    [{ id: 'constructor' }, { images: ['https://x.test/1'] }, '--id found nothing that JSON has'],
    [{ id: 'abs(key)' }, { key: 'a', images: ['https://x.test/1'] }, '--id: Invalid type: abs()'],
    [{ images: 'urls' }, { id: 'a' }, '--images found nothing (null): no URL, list of URLs, or object'],
    [{ images: 'urls' }, { id: 'a', urls: 7 }, '--images found 7'],
    [{ images: 'urls' }, { id: 'a', urls: [] }, '`images` is empty'],
    [{ images: 'urls' }, { id: 'a', urls: ['https://x.test/1', 2] }, '`images.1` is not a string'],
  ])('refuse a line when the expressions %j find no id or no images in %j', (selection, line, message) => {
    expect(() => select(selection, line)).toThrow(message);
  });

  it.each([
    ['a b', 3, 'unexpected token type: UnquotedIdentifier, value: b'],
    ['a.b[', 5, 'EOF'],
    ['', 1, 'EOF'],
    ['urls[?kind=="x].href', 13, 'unexpected end of JSON input'],
    ['a.b # c', 5, 'unknown character: #'],
    ['@.urls | uniq(@)', 10, 'there is no function uniq()'],
    ['uniq.a | uniq(@)', 10, 'there is no function uniq()'],
    ['urls | length(@, @)', 8, 'length() takes 1 argument but received 2'],
  ])('end the command with the position of the syntax error in %j', (expression, character, message) => {
    const compile = () => createUnitSelection({ images: expression }, DEFAULTS);
    expect(compile).toThrow(CommandFailure);
    expect(compile).toThrow(`--images is not a valid JMESPath expression, from character ${character} on: `);
    expect(compile).toThrow(message);
    expect(compile).toThrow(`\n  ${expression}\n  ${' '.repeat(character - 1)}^`);
  });
});
