import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hmac, sha256 } from '../../src/hashing.ts';
import type { EdgepressError } from '../../src/protocol/error.ts';
import { createReadTarget } from '../../src/variant/read-target.ts';
import { createTrace } from '../../src/variant/trace.ts';

const HEX = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const RULES = {
  signingKeys: [
    { id: 'k1', hex: HEX },
    { id: 'k2', hex: '0'.repeat(32) },
  ],
  ladder: { widths: [720], defaultWidth: 720 },
  hmac,
  sha256,
};
const TEXT = '/u/unit-1?src=https%3A%2F%2Fx.test%2Fa.jpg&w=706';
const HOST = 'images.test:3000';

/** Returns why a signature is refused. */
function reasonFor(signature: string): string {
  const read = createReadTarget(RULES, () => 0);
  const hints = { accept: undefined, saveData: undefined, host: HOST };
  try {
    read(`${TEXT}&sig=${signature}`, hints, createTrace());
  } catch (error) {
    expect((error as EdgepressError).code).toBe('bad_signature');
    return (error as EdgepressError).message;
  }
  throw new Error('the signature was accepted');
}

function macOf(text = TEXT, key: Buffer | string = Buffer.from(HEX, 'hex')): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

const MAC = macOf();
/** With both characters that differ between the two alphabets of base64. */
const base64 = (mac: Buffer) => mac.toString('base64');

describe('the reason why a signature is refused', () => {
  it.each([
    ['the key as text', `k1.${macOf(TEXT, HEX).toString('base64url')}`, 'decode the key from hex'],
    [
      'the key as text in capitals',
      `k1.${macOf(TEXT, HEX.toUpperCase()).toString('base64url')}`,
      'decode the key',
    ],
    ['an HMAC in hex', `k1.${MAC.toString('hex')}`, 'base64url without padding, not in hex'],
    ['an HMAC in hex in capitals', `k1.${MAC.toString('hex').toUpperCase()}`, 'not in hex'],
    ['plain base64', `k1.${base64(MAC).replace('=', '')}`, 'write - for +'],
    ['padding', `k1.${MAC.toString('base64url')}=`, 'leave out the ='],
    ['percent-encoded base64', `k1.${encodeURIComponent(base64(MAC))}`, 'write - for +'],
    ['base64, encoded twice', `k1.${encodeURIComponent(encodeURIComponent(base64(MAC)))}`, 'at most once'],
    [
      'the origin',
      `k1.${macOf(`https://${HOST}${TEXT}`).toString('base64url')}`,
      'without the scheme and the host',
    ],
    ['a line break', `k1.${macOf(`${TEXT}\n`).toString('base64url')}`, 'without the line break'],
    ['"&sig="', `k1.${macOf(`${TEXT}&sig=`).toString('base64url')}`, 'sign up to "&sig="'],
    [
      'the query alone',
      `k1.${macOf(TEXT.slice(TEXT.indexOf('?') + 1)).toString('base64url')}`,
      'sign the path, too',
    ],
    ['the decoded URL', `k1.${macOf(decodeURIComponent(TEXT)).toString('base64url')}`, 'as it is sent'],
    ['no key id', MAC.toString('base64url'), 'k1.{HMAC}'],
  ])('names the mistake: %s', (_what, signature, advice) => {
    expect(reasonFor(signature)).toContain('`sig` is not made by the rule: ');
    expect(reasonFor(signature)).toContain(advice);
  });

  it('names all of several mistakes', () => {
    const reason = reasonFor(`k1.${macOf(`http://${HOST}${TEXT}`, HEX).toString('hex')}`);
    for (const advice of ['decode the key', 'without the scheme', 'not in hex'])
      expect(reason).toContain(advice);
  });

  it('gives the general advice, and what the form of the HMAC tells, if nothing explains it', () => {
    expect(reasonFor(`k1.${'A'.repeat(43)}`)).toMatch(/^`sig` does not match the URL: sign the exact bytes/);
    expect(reasonFor(`k1.${'ab'.repeat(32)}`)).toMatch(
      /^`sig` does not match.*, and send the HMAC in base64url/,
    );
    expect(reasonFor(`k3.${MAC.toString('base64url')}`)).toContain('does not name a key that is valid now');
    expect(reasonFor('k1.')).toContain('does not match the URL');
  });

  it('never tells the HMAC that would have been right', () => {
    const wrong = [
      `k1.${MAC.toString('hex')}`,
      `k1.${'A'.repeat(43)}`,
      `k1.${macOf(TEXT, HEX).toString('base64url')}`,
    ];
    for (const signature of wrong) expect(reasonFor(signature)).not.toContain(MAC.toString('base64url'));
  });
});
