/** A host sets few cookies that its redirect depends on; more are dropped. */
const MAX_COOKIES = 20;
/** The longest pair of a name and a value that browsers accept (RFC 6265bis, section 5.6), in characters. */
const MAX_COOKIE_LENGTH = 4096;

/** The cookies of one fetch. */
export interface RedirectCookies {
  /** Keeps what a response sets for its host. */
  store(url: URL, setCookie: string | string[] | undefined): void;
  /** Returns the value of the `Cookie` header for a request; `undefined` without cookies for its host. */
  headerFor(url: URL): string | undefined;
}

interface Cookie {
  host: string;
  name: string;
  value: string;
  /** Whether it goes out over TLS only. */
  isSecure: boolean;
}

/**
 * Creates the cookies of one fetch: some hosts set one and redirect to the same URL, for ever unless the cookie comes back. A cookie goes to
 * the host that set it, for this fetch only; one that was set over TLS never goes out without it. Paths, domains and ages are ignored,
 * but an empty value deletes.
 */
export function createRedirectCookies(): RedirectCookies {
  let cookies: Cookie[] = [];
  return {
    store({ hostname: host, protocol }, setCookie) {
      for (const text of [setCookie ?? []].flat()) {
        const [pair = '', name, value = ''] = /^\s*([^=;\s]+)\s*=\s*([^;]*)/.exec(text) ?? [];
        if (name === undefined || pair.length > MAX_COOKIE_LENGTH) continue;
        cookies = cookies.filter((cookie) => cookie.host !== host || cookie.name !== name);
        if (value !== '' && cookies.length < MAX_COOKIES) {
          cookies.push({ host, name, value: value.trim(), isSecure: protocol === 'https:' });
        }
      }
    },
    headerFor({ hostname, protocol }) {
      const sent = cookies.filter(
        ({ host, isSecure }) => host === hostname && (!isSecure || protocol === 'https:'),
      );
      return sent.length > 0 ? sent.map(({ name, value }) => `${name}=${value}`).join('; ') : undefined;
    },
  };
}
