const MAX_SRC_LENGTH = 4096;

/*
 * The regular expressions of the edge runtime follow Perl (PCRE): `$` also matches before a final line break, `.` matches some line
 * breaks, `\s` is ASCII only, and case-insensitive `s` also matches `ſ`. So none of these are used here, and control characters, line
 * breaks among them, are refused before a source gets here.
 */
const ABSOLUTE = /^([Hh][Tt][Tt][Pp][Ss]?|[Ss]3):\/\/([^/?#\\]*)([\s\S]*)/;
const HOST_AND_PORT = /^(?:\[[0-9A-Fa-f:.]+\]|[^ :[\]<>^|"`{}]+)(?::([0-9]{0,5}))?$/;
const BUCKET = /^[A-Za-z0-9._-]+$/;

/**
 * Checks the syntax of a decoded `src` without a URL parser, because the edge has none. What passes here and is still not a URL
 * (`https://999.1.1.1/`) is refused with the same code before it is fetched.
 *
 * @returns what is wrong, as the end of a sentence whose subject is `src`, or `undefined`
 */
export function sourceSyntaxError(src: string): string | undefined {
  // No text has more characters than `length` says: the loop, slow at the edge, only counts those that may be too many.
  const length = src.length > MAX_SRC_LENGTH ? countCharacters(src) : 0;
  if (length > MAX_SRC_LENGTH) return `is ${length} characters long; at most 4,096 are allowed`;
  if (src.charAt(src.length - 1) === ' ') return 'must not end in a space';
  const match = ABSOLUTE.exec(src);
  if (!match) return 'must be an absolute http:, https: or s3: URL, percent-encoded';
  const scheme = String(match[1]).toLowerCase();
  const authority = String(match[2]);
  if (authority.indexOf('@') >= 0) return 'must not carry credentials (user:password@)';
  return scheme === 's3' ? bucketError(authority, String(match[3])) : hostError(authority);
}

/** Returns host and port of a source for logs: in lower case, and without credentials in case it has any. */
export function sourceHost(src: string): string {
  const match = ABSOLUTE.exec(src);
  if (!match) return '';
  const authority = String(match[2]);
  return authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
}

function hostError(authority: string): string | undefined {
  const match = HOST_AND_PORT.exec(authority);
  if (!match) return 'has no valid host';
  return match[1] !== undefined && Number(match[1]) > 65535 ? 'has a port above 65535' : undefined;
}

function bucketError(bucket: string, path: string): string | undefined {
  if (!BUCKET.test(bucket)) return 'has no valid bucket; it must look like s3://bucket/key';
  return path.length < 2 || path.charAt(0) !== '/'
    ? 'names no key; it must look like s3://bucket/key'
    : undefined;
}

/** Counts code points, whether the engine's strings are made of code points (the edge) or of UTF-16 code units. */
function countCharacters(text: string): number {
  let characters = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) characters++;
  }
  return characters;
}
