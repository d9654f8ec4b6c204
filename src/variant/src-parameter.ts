const MAX_SRC_LENGTH = 4096;

const ABSOLUTE = /^(https?|s3):\/\/([^/?#\\]*)(.*)$/i;
const HOST_AND_PORT = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:[\]<>^|"`{}]+)(?::([0-9]{0,5}))?$/;
const BUCKET = /^[A-Za-z0-9._-]+$/;

/**
 * Looks at a decoded `src` without a URL parser, since the edge has none. What passes here and still is no URL
 * (`https://999.1.1.1/`) is refused with the same code when it is about to be fetched.
 *
 * @returns what is wrong with it, as the end of a sentence, or `undefined`
 */
export function sourceUrlComplaint(src: string): string | undefined {
  if (src.length > MAX_SRC_LENGTH) return `is ${src.length} characters long; at most 4,096 are allowed`;
  if (hasControlCharacter(src)) return 'must not contain control characters or line breaks';
  if (src.charAt(src.length - 1) === ' ') return 'must not end in a space';
  const match = ABSOLUTE.exec(src);
  if (!match) return 'must be an absolute http:, https: or s3: URL, percent-encoded';
  const scheme = String(match[1]).toLowerCase();
  const authority = String(match[2]);
  if (authority.indexOf('@') >= 0) return 'must not carry credentials (user:password@)';
  return scheme === 's3' ? bucketComplaint(authority, String(match[3])) : hostComplaint(authority);
}

/** Host and port of a source as they stand in it, in lower case: for logs. */
export function sourceHost(src: string): string {
  const match = ABSOLUTE.exec(src);
  return match ? String(match[2]).toLowerCase() : '';
}

function hostComplaint(authority: string): string | undefined {
  const match = HOST_AND_PORT.exec(authority);
  if (!match) return 'has no valid host';
  return match[1] !== undefined && Number(match[1]) > 65535 ? 'has a port above 65535' : undefined;
}

function bucketComplaint(bucket: string, path: string): string | undefined {
  if (!BUCKET.test(bucket)) return 'has no valid bucket; it must look like s3://bucket/key';
  return path.length < 2 || path.charAt(0) !== '/'
    ? 'names no key; it must look like s3://bucket/key'
    : undefined;
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}
