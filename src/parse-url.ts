/**
 * Parses a URL; `undefined` if it is none. Not by `URL.canParse`: once the engine has optimised it, after some thousand calls, Node 20 and
 * 22 return false for every URL with a letter such as `ü`.
 *
 * @param base - what a relative URL is relative to
 */
export function parseUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
