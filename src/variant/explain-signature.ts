import type { ImageRequest } from '../protocol/request.ts';
import { type Hmac, SIGNATURE_MISMATCH, type SigningKey } from '../protocol/signature.ts';

/**
 * Finds what a caller did wrong who signed a URL with a valid key, but not by the rule: it tries the usual mistakes with the same key.
 * Nothing that it returns helps anyone without a key, since only an HMAC made with the key leads to a reason.
 *
 * @param request - its signature was refused
 * @param host - the `Host` that the request was sent to
 * @returns what to do, as a sentence; the general advice if no mistake explains the signature
 */
export function explainSignature(
  { signature = '', signedText }: ImageRequest,
  keys: readonly SigningKey[],
  hmac: Hmac,
  host: string | undefined,
): string | undefined {
  const dot = signature.indexOf('.');
  const { mac, advice: shape } = readMac(signature.slice(dot + 1));
  const usedKeys = dot < 0 ? keys : keys.filter(({ id }) => id === signature.slice(0, dot));
  for (const { id, hex } of usedKeys) {
    const missingId = dot < 0 ? [`put the id of the key and a dot before the HMAC: ${id}.{HMAC}`] : [];
    for (const [keyHex, keyAdvice] of keyForms(hex)) {
      for (const [text, textAdvice] of textForms(signedText, host)) {
        if (hmac(keyHex, text) !== mac) continue;
        return `\`sig\` is not made by the rule: ${[...missingId, ...keyAdvice, ...textAdvice, ...shape].join('; ')}`;
      }
    }
  }
  return shape.length > 0 && usedKeys.length > 0
    ? `${SIGNATURE_MISMATCH}, and ${shape.join('; ')}`
    : undefined;
}

/** A form that something may have been signed in, and what to do about it: empty for the right form. */
type Form = readonly [form: string, advice: readonly string[]];

/** Returns the HMAC of a signature in base64url without padding, and what to do to send it that way. */
function readMac(text: string): { mac: string; advice: string[] } {
  const decoded = /%[0-9a-f]{2}/i.test(text)
    ? text.replace(/%([0-9a-f]{2})/gi, (_, hex) => fromHex(hex))
    : text;
  const advice = decoded === text ? [] : ['percent-encode the HMAC at most once'];
  if (/^[0-9a-f]{64}$/i.test(decoded)) {
    return {
      mac: Buffer.from(decoded, 'hex').toString('base64url'),
      advice: [...advice, 'send the HMAC in base64url without padding, not in hex'],
    };
  }
  if (/[+/]/.test(decoded)) advice.push('write - for + and _ for / in the HMAC (base64url)');
  if (decoded.endsWith('=')) advice.push('leave out the = at the end of the HMAC');
  return { mac: Buffer.from(decoded, 'base64').toString('base64url'), advice };
}

function fromHex(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function keyForms(hex: string): Form[] {
  const asText = (text: string) => Buffer.from(text).toString('hex');
  const advice = ['decode the key from hex to bytes before you use it'];
  return [
    [hex, []],
    [asText(hex), advice],
    [asText(hex.toUpperCase()), advice],
  ];
}

/** Few enough that a flood of wrong signatures costs little. */
function textForms(signedText: string, host: string | undefined): Form[] {
  const query = signedText.slice(signedText.indexOf('?') + 1);
  const noLineBreak = 'sign without the line break at the end (`echo` adds one, `printf %s` does not)';
  const noOrigin = 'sign from /u/ on, without the scheme and the host';
  return [
    [signedText, []],
    [`${signedText}\n`, [noLineBreak]],
    [`${signedText}\r\n`, [noLineBreak]],
    [`https://${host}${signedText}`, [noOrigin]],
    [`http://${host}${signedText}`, [noOrigin]],
    [`https://${host}${signedText}\n`, [noOrigin, noLineBreak]],
    [`${host}${signedText}`, [noOrigin]],
    [`${signedText}&sig=`, ['sign up to "&sig=", without it']],
    [query, ['sign the path, too: from /u/ on']],
    [signedText.slice(1), ['sign the path with its first slash']],
    // The target has been parsed, so it decodes.
    [decodeURIComponent(signedText), ['sign the URL as it is sent, with `src` percent-encoded']],
  ];
}
