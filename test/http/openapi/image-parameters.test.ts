import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageParameters } from '../../../src/http/openapi/image-parameters.ts';
import type { Parameter } from '../../../src/http/openapi/openapi.ts';
import { parseRequest } from '../../../src/protocol/request.ts';
import { createArbitraries } from '../../support/http/arbitrary-of-schema.ts';
import { createDocumentCheck } from '../../support/http/openapi-document.ts';

const NO_COMPONENTS = { components: { schemas: {} } };
const { errorsOf } = createDocumentCheck(NO_COMPONENTS);
const arbitraryOf = createArbitraries(NO_COMPONENTS);
const parameters = imageParameters({ isSigned: true, widths: [160], defaultWidth: 160 });
const OPTIONS = { seed: 20261129, numRuns: 2000 };

/** Whether the parser takes a value of one parameter, beside others that are valid. */
function isParsed({ name }: Parameter, text: string): boolean {
  const src = encodeURIComponent('https://example.com/a.jpg');
  if (name === 'unit') return parseRequest(`/u/${text}?src=${src}`).ok;
  const value = encodeURIComponent(text);
  return parseRequest(name === 'src' ? `/u/unit-1?src=${value}` : `/u/unit-1?src=${src}&${name}=${value}`).ok;
}

/** Whether the description allows a value, as it stands in a URL. */
function isDescribed({ schema }: Parameter, text: string): boolean {
  const isNumber = schema['type'] === 'integer';
  if (isNumber && !/^(0|-?[1-9]\d*)$/.test(text)) return false;
  return errorsOf(schema, isNumber ? Number(text) : text).length === 0;
}

const printable = fc.string({
  unit: fc.constantFrom(...'abzAZ019._~-:/?#@[]\\ %<>|"^`{}\u00e4\u2028\u0001\n'),
});
const number = fc.oneof(
  fc.bigInt({ min: -1_000_000_000_000n, max: 10n ** 20n }).map(String),
  fc.constantFrom(
    '',
    '0',
    '00',
    '01',
    '-0',
    '+1',
    '1.0',
    '1e3',
    ' 1',
    '1 ',
    '0x10',
    '99999999999',
    '100000000000',
  ),
);
const port = fc.integer({ min: 0, max: 200_000 }).map((each) => `https://a:${each}/b`);
const scheme = fc.constantFrom('http://', 'https://', 'HTTPS://', 's3://', 'ftp://', 'http:/', '//', '');
const url = fc.tuple(scheme, printable).map((parts) => parts.join(''));

/** Values that a client may send for a parameter: valid ones, almost valid ones, and others. */
function sentValues({ schema }: Parameter) {
  const valid = arbitraryOf(schema).map(String);
  const edited = fc
    .tuple(valid, fc.nat(), fc.nat({ max: 2 }), printable)
    .map(([text, at, removed, added]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + added.slice(0, 2) + text.slice(from + removed);
    });
  return fc.oneof(valid, edited, fc.string({ unit: 'grapheme' }), number, port, url);
}

describe('The description of an image URL', () => {
  it.each(
    parameters.filter(({ name }) => name !== 'sig').map((parameter) => [parameter.name, parameter] as const),
  )('allows the values of `%s` that the parser takes, and no others', (name, parameter) => {
    const counts = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(sentValues(parameter), (text) => {
        // What ends the path or the query is no value.
        if (name === 'unit' && /[?#]/.test(text)) return;
        const isTaken = isParsed(parameter, text);
        counts[isTaken ? 'taken' : 'refused']++;
        expect(isDescribed(parameter, text)).toBe(isTaken);
      }),
      OPTIONS,
    );
    expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(OPTIONS.numRuns / 20);
  });

  it.each([4096, 4097])('agrees on a source of %i characters', (length) => {
    const source = parameters.find(({ name }) => name === 'src') as Parameter;
    const text = 'https://example.com/'.padEnd(length, 'a');
    expect(isDescribed(source, text)).toBe(isParsed(source, text));
  });
});
