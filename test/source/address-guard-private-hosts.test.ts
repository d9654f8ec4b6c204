import { describe, expect, it } from 'vitest';
import { hostAndPort, parsePrivateHost } from '../../src/source/address-guard.ts';
import { parseSourceUrl } from '../../src/source/source-url.ts';

describe('parsing a private host', () => {
  it.each([
    ['minio:9000', 'http://minio:9000/a.jpg'],
    ['MINIO:9000', 'https://Minio.:9000/a.jpg'],
    ['minio:80', 'http://minio/a.jpg'],
    ['minio:443', 'https://minio/a.jpg'],
    ['127.0.0.1:9000', 'http://2130706433:9000/'],
    ['[::1]:9000', 'http://[0:0:0:0:0:0:0:1]:9000/'],
  ])('gives %s the same form as the host of %s', (text, url) => {
    expect(parsePrivateHost(text)).toBe(hostAndPort(parseSourceUrl(url) as URL));
  });

  it('gives different ports different forms', () => {
    expect(parsePrivateHost('minio:9000')).not.toBe(hostAndPort(new URL('http://minio:9001/')));
    expect(parsePrivateHost('minio:80')).not.toBe(hostAndPort(new URL('https://minio/')));
  });

  it('keeps the form when it is parsed again', () => {
    expect(parsePrivateHost(parsePrivateHost('[0::1]:80'))).toBe('[::1]:80');
  });

  it.each([
    '',
    'minio',
    'minio:',
    ':9000',
    '*:9000',
    '*.internal:9000',
    '::1:9000',
    'http://minio:9000',
    'minio:9000/path',
    'user@minio:9000',
    'minio:65536',
    'min io:80',
    '[::1]',
  ])('throws an error that quotes %j', (text) => {
    expect(() => parsePrivateHost(text)).toThrow(`"${text}": `);
  });
});
