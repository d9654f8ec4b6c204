const MAX_SRC_LENGTH = 4096;

/*
 * The edge has another engine for regular expressions, of the kind of Perl's: `$` matches before a line break, `.` matches
 * some of them, `\s` is ASCII alone, and without regard to case `s` is also `ſ`. So none of these are used, and line
 * breaks are refused first.
 */
const ABSOLUTE = /^([Hh][Tt][Tt][Pp][Ss]?|[Ss]3):\/\/([^/?#\\]*)([\s\S]*)/;
const HOST_AND_PORT = /^(?:\[[0-9A-Fa-f:.]+\]|[^ :[\]<>^|"`{}]+)(?::([0-9]{0,5}))?$/;
const BUCKET = /^[A-Za-z0-9._-]+$/;

/**
 * Looks at a decoded `src` without a URL parser, since the edge has none. What passes here and still is no URL
 * (`https://999.1.1.1/`) is refused with the same code when it is about to be fetched.
 *
 * @returns what is wrong with it, as the end of a sentence, or `undefined`
 */
export function sourceSyntaxError(src: string): string | undefined {
  const length = countCharacters(src);
  if (length > MAX_SRC_LENGTH) return `is ${length} characters long; at most 4,096 are allowed`;
  if (src.charAt(src.length - 1) === ' ') return 'must not end in a space';
  const match = ABSOLUTE.exec(src);
  if (!match) return 'must be an absolute http:, https: or s3: URL, percent-encoded';
  const scheme = String(match[1]).toLowerCase();
  const authority = String(match[2]);
  if (authority.indexOf('@') >= 0) return 'must not carry credentials (user:password@)';
  return scheme === 's3' ? bucketComplaint(authority, String(match[3])) : hostComplaint(authority);
}

/** Host and port of a source as they stand in it, in lower case: for logs, and so without the credentials that it must not have. */
export function sourceHost(src: string): string {
  const match = ABSOLUTE.exec(src);
  if (!match) return '';
  const authority = String(match[2]);
  return authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
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

/** Whole characters, in an engine whose strings are made of these as in one that counts halves. */
function countCharacters(text: string): number {
  let characters = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) characters++;
  }
  return characters;
}
