import type { TOKEN_KINDS } from './cdn-location.ts';

/** The one call of a CDN's API, or of a cache, that makes it forget what has certain tags. */
export interface PurgeApi {
  /** The CDN in messages, such as `Cloudflare`. */
  name: string;
  /** The most tags that a call may have. */
  maxTags: number;
  /** What must be in no message. */
  token: string | undefined;
  /** Returns the request that purges these tags. */
  request(tags: readonly string[]): PurgeRequest;
  /** Returns the CDN's id of the purge from the body of a good answer, if it says one; or why the answer is none. */
  read?(body: unknown): { id: string | undefined } | { fault: string };
  /** What to change when the CDN answers with 401 or 403, and with 404. */
  advice: { refused: string; unknown: string };
}

export interface PurgeRequest {
  method: 'POST' | 'PURGE';
  url: string;
  headers: Record<string, string>;
  body?: string;
}

/** Where the API of a CDN is, and the token that it wants. */
export interface ApiAccess {
  token: string;
  /** Another server with the API of the CDN, as `http(s)://host:port`. Default: the CDN's own. */
  endpoint?: string | undefined;
}

type TokenKind = (typeof TOKEN_KINDS)[number];

const ENDPOINTS: Readonly<Record<TokenKind, string>> = {
  cloudflare: 'https://api.cloudflare.com',
  fastly: 'https://api.fastly.com',
  bunny: 'https://api.bunny.net',
};

/** https://developers.cloudflare.com/cache/how-to/purge-cache/#availability-and-limits: 100 tags in a call, on all plans. */
export function cloudflareApi(zone: string, { token, endpoint = ENDPOINTS.cloudflare }: ApiAccess): PurgeApi {
  return {
    name: 'Cloudflare',
    maxTags: 100,
    token,
    request: (tags) => ({
      method: 'POST',
      url: `${endpoint}/client/v4/zones/${zone}/purge_cache`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ tags }),
    }),
    read(body) {
      const { success, errors, result } = (body ?? {}) as CloudflareAnswer;
      if (success === true) return { id: result?.id };
      return { fault: errors?.map(({ code, message }) => `${code} ${message}`).join(', ') || 'no success' };
    },
    advice: {
      refused: `CDN_PURGE_TOKEN must be an API token with the permission Cache Purge on zone ${zone}`,
      unknown: `CDN must name a zone that CDN_PURGE_TOKEN may purge, by the id of its overview page, not ${zone}`,
    },
  };
}

interface CloudflareAnswer {
  success?: boolean;
  errors?: { code: number; message: string }[];
  result?: { id?: string };
}

/** https://www.fastly.com/documentation/reference/api/purging/#bulk-purge-tag: 256 surrogate keys in a call. */
export function fastlyApi(service: string, { token, endpoint = ENDPOINTS.fastly }: ApiAccess): PurgeApi {
  return {
    name: 'Fastly',
    maxTags: 256,
    token,
    request: (tags) => ({
      method: 'POST',
      url: `${endpoint}/service/${service}/purge`,
      headers: { 'fastly-key': token, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ surrogate_keys: tags }),
    }),
    /** It has an id for each tag: the first one stands for all. */
    read(body) {
      const [id] = Object.values((body ?? {}) as Record<string, unknown>);
      return { id: typeof id === 'string' ? id : undefined };
    },
    advice: {
      refused: `CDN_PURGE_TOKEN must be an API token with the scope purge_select for service ${service}`,
      unknown: `CDN must name a service that CDN_PURGE_TOKEN may purge, not ${service}`,
    },
  };
}

/** https://docs.bunny.net/api-reference/core/pull-zone/purge-cache: one tag in a call. */
export function bunnyApi(pullZone: string, { token, endpoint = ENDPOINTS.bunny }: ApiAccess): PurgeApi {
  return {
    name: 'Bunny',
    maxTags: 1,
    token,
    request: ([tag]) => ({
      method: 'POST',
      url: `${endpoint}/pullzone/${pullZone}/purgeCache`,
      headers: { accesskey: token, 'content-type': 'application/json' },
      body: JSON.stringify({ CacheTag: tag }),
    }),
    advice: {
      refused: `CDN_PURGE_TOKEN must be the API key of the account that pull zone ${pullZone} belongs to`,
      unknown: `CDN must name a pull zone of the account by its number, not ${pullZone}`,
    },
  };
}

/** Header lines of 8 KB are the most that nginx and Varnish take by default; these have 3.5 KB. */
const HTTP_MAX_TAGS = 100;

/** A cache that takes `PURGE` with the tags in `Cache-Tag`, separated by commas: nginx and Varnish as examples/deploy has them. */
export function httpCacheApi(url: URL, token: string | undefined): PurgeApi {
  return {
    name: url.host,
    maxTags: HTTP_MAX_TAGS,
    token,
    request: (tags) => ({
      method: 'PURGE',
      url: url.href,
      headers: {
        'cache-tag': tags.join(','),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    }),
    advice: {
      refused: 'it must allow the address of this machine, or know the token in CDN_HTTP_TOKEN',
      unknown: `CDN must name the URL where it takes PURGE, not ${url.pathname}`,
    },
  };
}
