import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hmac } from '../../src/hashing.ts';
import { parseRequest } from '../../src/protocol/request.ts';
import { verifySignature } from '../../src/protocol/signature.ts';

/**
 * What encoders of seven languages make of odd sources. `encoded` has a list for each encoder, in the order of the sources. Recorded once
 * with Python 3.11, Perl 5.36, PHP 8.2, Ruby 3.1, Go 1.19, dash and Node 20.
 */
const { sources, encoded } = JSON.parse(
  readFileSync(new URL('../support/url-encoders.json', import.meta.url), 'utf8'),
) as { sources: string[]; encoded: Record<string, Record<string, string[]>> };

const KEY = { id: 'k1', hex: '00112233445566778899aabbccddeeff' };

/** What a request with a source that was encoded this way means. */
function outcome(encodedSrc: string, src: string): string {
  const text = `/u/unit-1?src=${encodedSrc}&w=720`;
  const parsed = parseRequest(`${text}&sig=${KEY.id}.${hmac(KEY.hex, text)}`);
  if (!parsed.ok) return `${parsed.fault.code}: ${parsed.fault.parameter}`;
  if (parsed.value.src === src) return 'right';
  return parsed.value.src === src.replaceAll(' ', '+') ? 'a space became +' : 'another source';
}

function outcomes(language: string, encoder: string): Record<string, string[]> {
  const results: Record<string, string[]> = {};
  for (const [index, one] of (encoded[language]?.[encoder] ?? []).entries()) {
    const src = sources[index] ?? '';
    const result = outcome(one, src);
    results[result] = [...(results[result] ?? []), src];
  }
  return results;
}

const WITH_SPACES = sources.filter((src) => src.includes(' '));

describe('a source that was encoded', () => {
  it.each([
    ['Python', "quote(src, safe='')"],
    ['Python', 'quote(src)'],
    ['Perl', 'uri_escape_utf8($src)'],
    ['PHP', 'rawurlencode($src)'],
    ['PHP', 'http_build_query(…, PHP_QUERY_RFC3986)'],
    ['Ruby', 'ERB::Util.url_encode(src)'],
    ['Shell', 'percent_encode "$src"'],
    ['JavaScript', 'encodeURIComponent(src)'],
    ['JavaScript', 'URL.search with encodeURIComponent(src)'],
  ])('in %s by the percent-encoder %s is read as it was', (language, encoder) => {
    expect(outcomes(language, encoder)).toEqual({ right: sources });
  });

  it.each([
    ['Python', 'quote_plus(src)'],
    ['Python', "urlencode({'src': src})"],
    ['PHP', 'urlencode($src)'],
    ['PHP', "http_build_query(['src' => $src])"],
    ['Ruby', 'URI.encode_www_form_component(src)'],
    ['Go', 'url.QueryEscape(src)'],
    ['Go', 'url.Values.Encode()'],
    ['JavaScript', 'URLSearchParams({ src })'],
  ])('in %s by the form encoder %s is read as it was, unless it has a space', (language, encoder) => {
    const { right, ...others } = outcomes(language, encoder);
    expect(right).toEqual(sources.filter((src) => !src.includes(' ')));
    expect(others).toEqual({ 'a space became +': WITH_SPACES });
  });

  it('in Go by url.PathEscape, which is not meant for queries, is refused where it leaves an &', () => {
    const { right, ...others } = outcomes('Go', 'url.PathEscape(src)');
    const withAmpersand = sources.filter((src) => src.includes('&'));
    expect(Object.values(others).flat()).toEqual(withAmpersand);
    expect(Object.keys(others).every((result) => result.startsWith('bad_request: '))).toBe(true);
    expect(right).toHaveLength(sources.length - withAmpersand.length);
  });

  it('by any encoder keeps its signature in a URL parser', () => {
    for (const one of Object.values(encoded).flatMap((encoders) => Object.values(encoders).flat())) {
      const text = `/u/unit-1?src=${one}&w=720`;
      const url = `${text}&sig=${KEY.id}.${hmac(KEY.hex, text)}`;
      const { pathname, search } = new URL(url, 'https://images.test');
      const parsed = parseRequest(pathname + search);
      if (parsed.ok) expect(verifySignature(parsed.value, [KEY], hmac, 0).ok, url).toBe(true);
    }
  });
});
