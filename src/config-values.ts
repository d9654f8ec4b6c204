import { availableParallelism } from 'node:os';
import { CDN_FORMS, type CdnLocation, parseCdnLocation } from './cdn/cdn-location.ts';
import { parseWebhookSecrets, type WebhookSecretsSource } from './notify/webhook-secrets.ts';
import { parseUrl } from './parse-url.ts';
import { readSigningKey, type SigningKey } from './protocol/signature.ts';

// What the values of environment variables may be, and how they are read.

/** The values that a variable takes. */
export interface ValueType<T> {
  /** What a value must be, in Markdown: the end of "must be …" in messages and documentation. */
  readonly allowed: string;
  /** @throws Error that says what is wrong with the value, as the end of a sentence whose subject is the variable */
  readonly parse: (value: string) => T;
}

/** @param read - returns `undefined` for what is not allowed, or throws an Error where it can say more */
export function valueType<T>(allowed: string, read: (value: string) => T | undefined): ValueType<T> {
  return {
    allowed,
    parse(value) {
      const result = read(value);
      if (result === undefined) throw new Error(`must be ${allowed.replaceAll('`', '')}`);
      return result;
    },
  };
}

/** Any text. */
export function text(allowed: string): ValueType<string> {
  return valueType(allowed, (value) => value);
}

/** In UTF-16 code units: what is shown of a value that is no number. */
const SHOWN_LENGTH = 20;

export function wholeNumber(min: number, max: number): ValueType<number> {
  const allowed = `a whole number from ${min} to ${max}`;
  return valueType(allowed, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new Error(`must be ${allowed}; it is ${JSON.stringify(value.slice(0, SHOWN_LENGTH))}`);
  });
}

/** `auto` is one for each core. */
export const workerCount = valueType('`auto` or a whole number from 1 to 64', (value) => {
  if (value === 'auto') return availableParallelism();
  const number = /^\d{1,2}$/.test(value) ? Number(value) : 0;
  return number >= 1 && number <= 64 ? number : undefined;
});

/** One of these names. */
export function oneOf<T extends string>(names: readonly T[]): ValueType<T> {
  const quoted = names.map((name) => `\`${name}\``);
  const allowed = names.length === 2 ? quoted.join(' or ') : `one of ${quoted.join(', ')}`;
  return valueType(allowed, (value) => names.find((name) => name === value));
}

/** One or more of these names, separated by commas; repeats are dropped. */
export function someOf<T extends string>(names: readonly T[]): ValueType<readonly T[]> {
  const quoted = names.map((name) => `\`${name}\``).join(', ');
  return valueType(`one or more of ${quoted}, separated by commas`, (value) => {
    const items = splitList(value).map((item) => names.find((name) => name === item));
    return items.some((item) => item === undefined) ? undefined : [...new Set(items as T[])];
  });
}

/** `off` or `on`. */
export const switchedOn = valueType('`off` or `on`', (value) =>
  value === 'on' ? true : value === 'off' ? false : undefined,
);

/** @param parse - reads one entry; throws an Error that says what is wrong with it */
export function listOf<T>(allowed: string, parse: (item: string) => T): ValueType<readonly T[]> {
  return valueType(allowed, (value) => splitList(value).map(parse));
}

/** @throws Error for an empty entry: an empty list would allow anyone, which is not what the operator meant */
function splitList(value: string): string[] {
  const items = value.split(',').map((item) => item.trim());
  if (items.includes('')) throw new Error('has an empty entry: remove it, or leave the variable unset');
  return items;
}

/** The widest image that WebP can hold, in pixels. */
export const MAX_WIDTH = 16_383;

/** Widths in ascending order without repeats. */
export const widths = valueType(`widths in pixels from 1 to ${MAX_WIDTH}, separated by commas`, (value) => {
  const items = value.split(',').map((item) => item.trim());
  if (!items.every((item) => /^[1-9]\d{0,4}$/.test(item) && Number(item) <= MAX_WIDTH)) return undefined;
  return Object.freeze([...new Set(items.map(Number))].sort((a, b) => a - b)) as readonly number[];
});

/** A namespace of CloudWatch metrics. */
export const metricNamespace = valueType('1 to 255 of `A-Z a-z 0-9 . _ / # : -`', (value) =>
  /^[\w./#:-]{1,255}$/.test(value) ? value : undefined,
);

/** An absolute `http(s)` URL, as it was given. */
export const httpUrl = valueType('an absolute http: or https: URL', (value) =>
  isHttp(parseUrl(value)) ? value : undefined,
);

/** The origin of a URL, without a slash at the end. */
export const publicUrl = valueType(
  'an absolute http: or https: URL without a path, query or fragment',
  (value) => {
    const url = parseUrl(value);
    const isOrigin = isHttp(url) && url.pathname === '/' && url.search === '' && url.hash === '';
    return isOrigin ? url.origin : undefined;
  },
);

function isHttp(url: URL | undefined): url is URL {
  return url !== undefined && /^https?:$/.test(url.protocol);
}

/** Where variants are kept. */
export type StoreLocation = { kind: 'file'; root: string } | { kind: 's3'; bucket: string };

export const storeLocation = valueType<StoreLocation>(
  '`file:FOLDER`, `file:///FOLDER` or `s3://BUCKET`',
  (value) => {
    const file = /^file:(?:\/\/(?=\/)|(?!\/\/))(.+)$/.exec(value);
    if (file?.[1]) return { kind: 'file', root: file[1] };
    const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?$/.exec(value);
    return s3?.[1] ? { kind: 's3', bucket: s3[1] } : undefined;
  },
);

/** Where units wait to be prewarmed. */
export type QueueLocation = { kind: 'local' } | { kind: 'sqs'; url: string };

export const queueLocation = valueType<QueueLocation>('`local`, or the URL of an SQS queue', (value) => {
  if (value === 'local') return { kind: 'local' };
  const url = parseUrl(value);
  return isHttp(url) && url.pathname.length > 1 ? { kind: 'sqs', url: value } : undefined;
});

/** The caches in front of the service, the nearest one first. */
export const cdnLocations: ValueType<readonly CdnLocation[]> = {
  allowed: `\`none\`, or one or more of ${CDN_FORMS}, separated by commas, the cache nearest to this service first`,
  parse: (value) => (value === 'none' ? [] : splitList(value).map(parseCdnLocation)),
};

/** The least that a secret may have which people choose (NIST SP 800-63B, section 5.1.1.1). */
const MIN_SECRET_LENGTH = 8;

/** A bearer token (RFC 6750, section 2.1). Messages never repeat the secret. */
export const bearerToken = valueType(
  `at least ${MIN_SECRET_LENGTH} of the characters \`A-Z a-z 0-9 . _ ~ + / -\`, with \`=\` at the end only (\`openssl rand -hex 16\` makes one)`,
  (value) => (value.length >= MIN_SECRET_LENGTH && /^[A-Za-z0-9._~+/-]+=*$/.test(value) ? value : undefined),
);

/** The value of an HTTP header, trimmed. */
export const headerValue = valueType('printable ASCII', (value) => {
  const trimmed = value.trim();
  return /^[\x20-\x7e]+$/.test(trimmed) ? trimmed : undefined;
});

/** Signing keys with distinct ids. Messages never repeat a secret. */
export const signingKeys = valueType<readonly SigningKey[]>(
  '`ID:HEX,ID:HEX`: each id 1 to 64 of `A-Z a-z 0-9 _ -`, each key at least 16 bytes in hex',
  (value) => {
    const keys = splitList(value).map((item, index) => readSigningKey(item) ?? refuseKey(item, index + 1));
    const repeated = keys.find(({ id }, index) => keys.findIndex((key) => key.id === id) !== index);
    if (repeated) throw new Error(`has the id "${repeated.id}" more than once`);
    return keys;
  },
);

function refuseKey(item: string, number: number): never {
  const id = /^([A-Za-z0-9_-]{1,64}):(?:[0-9A-Fa-f]{2})+$/.exec(item)?.[1];
  if (id !== undefined) throw new Error(`the key "${id}" is too short: at least 16 bytes (32 hex digits)`);
  throw new Error(`key ${number} must be id:hex, where id is 1 to 64 of A-Z a-z 0-9 _ - and hex whole bytes`);
}

/** Secrets of webhooks, or where they are. Messages never repeat a secret. */
export const webhookSecrets: ValueType<WebhookSecretsSource> = {
  allowed:
    '`whsec_` and base64 of 24 to 64 bytes, several separated by commas; or the ARN of a secret in Secrets Manager that contains such text',
  parse: parseWebhookSecrets,
};
