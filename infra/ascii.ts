/*
 * CloudFormation's templates and outputs carry ASCII only: it stores `?` for any other character, so that functions, IAM policies and
 * `npm run env` would get another text than the one that was given ("Template anatomy" in the CloudFormation User Guide).
 */

/** Whether a text passes through CloudFormation unchanged. */
export function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/**
 * Writes patterns of `SOURCE_ALLOW` in ASCII: hosts in their IDNA form, paths percent-encoded, both as the patterns are compared
 * anyway. Patterns of S3 stay as they are: their keys are compared literally, so that no other text means the same.
 *
 * @param text - valid patterns, comma-separated
 */
export function asciiSourcePatterns(text: string): string {
  return text
    .split(',')
    .map((pattern) => asciiPattern(pattern.trim()))
    .join(',');
}

function asciiPattern(pattern: string): string {
  if (isAscii(pattern) || /^s3:/i.test(pattern)) return pattern;
  const { protocol, host, pathname } = new URL(pattern);
  // Without a path a pattern matches any, with `/` that one only.
  const hasPath = /^[^/]*\/\/[^/]*\//.test(pattern);
  return `${protocol}//${host}${hasPath ? pathname : ''}`;
}

/** Writes a value as JSON in ASCII, on one line, with escapes for all other characters. */
export function asciiJson(value: unknown): string {
  // Without white space, all other characters are within strings.
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${(unit.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
