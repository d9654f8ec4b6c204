import { readSigningKey, type SigningKey } from './protocol/signature.ts';

// What the values of the environment mean. Each throws an Error that says what is wrong with one, as the end of a sentence.

/** Where variants are kept. */
export type StoreLocation = { kind: 'file'; root: string } | { kind: 's3'; bucket: string };

/** Where units wait to be prewarmed. */
export type QueueLocation = { kind: 'local' } | { kind: 'sqs'; url: string };

/** The cache in front of the service. */
export type CdnLocation = { kind: 'none' } | { kind: 'cloudfront'; distribution: string };

/** Reads a list separated by commas, each entry with `parse`. */
export function listOf<T>(parse: (item: string, index: number) => T): (value: string) => readonly T[] {
  return (value) => {
    const items = value.split(',').map((item) => item.trim());
    // A list that says nothing would mean "anyone": whoever set it meant something else.
    if (items.includes('')) throw new Error('has an empty entry: leave it out, or leave the variable unset');
    return items.map(parse);
  };
}

/** Reads `file:FOLDER` or `s3://BUCKET`. */
export function parseStore(value: string): StoreLocation {
  const file = /^file:(?:\/\/(?=\/)|(?!\/\/))(.+)$/.exec(value);
  if (file?.[1]) return { kind: 'file', root: file[1] };
  const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?$/.exec(value);
  if (s3?.[1]) return { kind: 's3', bucket: s3[1] };
  throw new Error('must be file:FOLDER, file:///FOLDER or s3://BUCKET');
}

/** Reads `local`, or the URL of an SQS queue. */
export function parseQueue(value: string): QueueLocation {
  if (value === 'local') return { kind: 'local' };
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.pathname.length > 1) return { kind: 'sqs', url: value };
  throw new Error('must be local, or the URL of an SQS queue');
}

/** Reads `none`, or `cloudfront:DISTRIBUTION`. */
export function parseCdn(value: string): CdnLocation {
  if (value === 'none') return { kind: 'none' };
  const distribution = /^cloudfront:([A-Z0-9]{1,32})$/.exec(value)?.[1];
  if (distribution !== undefined) return { kind: 'cloudfront', distribution };
  throw new Error('must be none, or cloudfront:DISTRIBUTION-ID');
}

/** Reads what a bearer token can be (RFC 6750, section 2.1). Faults never repeat the secret. */
export function parseToken(value: string): string {
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(value)) throw new Error('must be of A-Z a-z 0-9 . _ ~ + / - alone');
  return value;
}

/** Reads a name that must be one of these. */
export function oneOf<T extends string>(names: readonly T[]): (value: string) => T {
  return (value) => {
    const name = names.find((known) => known === value);
    if (name === undefined) throw new Error(`must be among ${names.join(', ')}, separated by commas`);
    return name;
  };
}

/** Reads `id:hex,id:hex`. Faults never repeat a secret. */
export function parseSigningKeys(value: string): readonly SigningKey[] {
  const keys = listOf((item, index) => readSigningKey(item) ?? refuseKey(item, index + 1))(value);
  const twice = keys.find(({ id }, index) => keys.findIndex((key) => key.id === id) !== index);
  if (twice) throw new Error(`the id "${twice.id}" stands there more than once`);
  return keys;
}

function refuseKey(item: string, number: number): never {
  const id = /^([A-Za-z0-9_-]{1,64}):(?:[0-9A-Fa-f]{2})+$/.exec(item)?.[1];
  const complaint =
    id === undefined
      ? `key ${number} must be id:hex, where id is 1 to 64 of A-Z a-z 0-9 _ - and hex whole bytes`
      : `the key "${id}" is too short: at least 16 bytes (32 hex digits)`;
  throw new Error(complaint);
}

/** Reads widths in pixels, 1 to 16,383, into ascending order without repeats. */
export function parseWidths(value: string): readonly number[] {
  const widths = value.split(',').map((item) => item.trim());
  if (!widths.every((width) => /^[1-9]\d{0,4}$/.test(width) && Number(width) <= 16_383)) {
    throw new Error('must be widths in pixels from 1 to 16383, separated by commas');
  }
  return Object.freeze([...new Set(widths.map(Number))].sort((a, b) => a - b));
}

/** Returns an absolute `http(s)` URL as it is. */
export function parseHttpUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new Error('must be an absolute http: or https: URL');
  return value;
}

/** Returns the origin of a URL that is nothing more: without a slash at the end. */
export function parsePublicUrl(value: string): string {
  const url = new URL(parseHttpUrl(value));
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new Error('must have no path, query or fragment');
  return url.origin;
}

/** Returns what can stand in a header, trimmed. */
export function parseHeaderValue(value: string): string {
  const trimmed = value.trim();
  if (!/^[\x20-\x7e]+$/.test(trimmed)) throw new Error('must be printable ASCII');
  return trimmed;
}
