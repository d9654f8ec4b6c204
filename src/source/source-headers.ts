import { type AllowPattern, allowsUrl, parseAllowPattern } from './allowlist.ts';

/** The headers of requests to the URLs that a pattern matches. */
export interface SourceHeaderRule {
  pattern: AllowPattern;
  headers: Readonly<Record<string, string>>;
}

/** Where the rules come from: given here, or in a secret of Secrets Manager, by its ARN. */
export type SourceHeaders =
  | { kind: 'rules'; rules: readonly SourceHeaderRule[] }
  | { kind: 'secret'; arn: string };

/** The ARN of a secret in Secrets Manager. */
export const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\x20-\x7e]+$/;
/** What the client sets itself, because the connection or the answer depends on it. */
const RESERVED =
  /^(host|connection|content-length|transfer-encoding|te|upgrade|accept-encoding|cdn-loop|range)$/i;

/**
 * Parses the value of `SOURCE_HEADERS`: JSON as in `parseSourceHeaderRules`, or the ARN of a secret that contains it.
 *
 * @throws Error with a message for the configuration error, which repeats no header's value
 */
export function parseSourceHeaders(text: string): SourceHeaders {
  const trimmed = text.trim();
  if (SECRET_ARN.test(trimmed)) return { kind: 'secret', arn: trimmed };
  return { kind: 'rules', rules: parseSourceHeaderRules(trimmed) };
}

/**
 * Parses rules such as `{"https://images.example.com/*": {"Authorization": "Bearer …"}}`. The patterns are those of `SOURCE_ALLOW`.
 *
 * @throws Error with a message for the configuration error, which repeats no header's value
 */
export function parseSourceHeaderRules(json: string): readonly SourceHeaderRule[] {
  return Object.entries(parseJsonObject(json, 'must be a JSON object from patterns to headers')).map(
    ([text, value]) => {
      const pattern = parseAllowPattern(text);
      if (pattern.scheme === 's3:') throw new Error(`"${text}": only http and https sources have headers`);
      if (pattern.host.kind === 'any') throw new Error(`"${text}": a pattern for headers must name its host`);
      const headers = Object.entries(value ?? {});
      if (typeof value !== 'object' || Array.isArray(value) || headers.length === 0)
        throw new Error(`"${text}": expected an object from names of headers to values`);
      for (const [name, content] of headers) assertHeader(text, name, content);
      return {
        pattern,
        headers: Object.fromEntries(headers.map(([name, content]) => [name.toLowerCase(), content])),
      };
    },
  );
}

/**
 * Parses a JSON object.
 *
 * @throws Error with the expectation as its message, for anything else
 */
export function parseJsonObject(json: string, expectation: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The message of JSON.parse shows a part of the text.
    throw new Error(expectation);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(expectation);
  return value as Record<string, unknown>;
}

function assertHeader(pattern: string, name: string, value: unknown): void {
  if (!HEADER_NAME.test(name)) throw new Error(`"${pattern}": one of the names is not the name of a header`);
  if (RESERVED.test(name)) throw new Error(`"${pattern}": ${name} is set by edgepress itself`);
  if (typeof value !== 'string' || !HEADER_VALUE.test(value.trim()))
    throw new Error(`"${pattern}": the value of ${name} must be printable ASCII`);
}

/** Returns the headers for a URL, by lower-case name: of all patterns that match it; where two set the same header, of the first. */
export function headersFor(rules: readonly SourceHeaderRule[], url: URL): Record<string, string> {
  const matching = rules.filter(({ pattern }) => allowsUrl([pattern], url));
  return Object.assign({}, ...matching.map(({ headers }) => headers).reverse());
}
