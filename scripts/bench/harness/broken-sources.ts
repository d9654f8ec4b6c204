import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { readPhotographs } from '../../../src/demo/demo.ts';
import type { ErrorCode } from '../../../src/protocol/error.ts';

/** A kind of broken source, and the outcome that prewarm has to report for it. */
export interface BrokenKind {
  name: string;
  code: ErrorCode;
  retryable: boolean;
  /** How the client's server answers; missing when it must not be asked. */
  answer?: (response: ServerResponse, pictures: Pictures) => void;
  /** The base of a URL that does not point to that server, which listens at `authority`. */
  elsewhere?: (authority: string) => string;
}

/** The images that the server sends. */
interface Pictures {
  photograph: Buffer;
  /** Few bytes, but more pixels than the limit. */
  manyPixels: Buffer;
}

const MAX_BYTES = 1_048_576;
const MAX_PIXELS = 2_000_000;
const PRIVATE = '10.0.0.1';

/** Limits that the good sources keep and that broken ones exceed with little traffic. */
export const LIMITS = {
  SOURCE_MAX_BYTES: String(MAX_BYTES),
  MAX_PIXELS: String(MAX_PIXELS),
  SOURCE_TIMEOUT_MS: '1000',
} as const;

const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();
const redirect = (location: string) => (response: ServerResponse) =>
  void response.writeHead(302, { location }).end();
const body = (type: string, text: string) => (response: ServerResponse) =>
  void response.setHeader('Content-Type', type).end(text);
const firstHalf = ({ photograph }: Pictures) => photograph.subarray(0, photograph.length / 2);
const never = () => {};

const unavailable = { code: 'source_unavailable', retryable: true } as const;
const refusing = { code: 'source_unavailable', retryable: false } as const;
const timeout = { code: 'source_timeout', retryable: true } as const;
const missing = { code: 'source_not_found', retryable: false } as const;
const noImage = { code: 'source_not_image', retryable: false } as const;
const tooLarge = { code: 'source_too_large', retryable: false } as const;
const corrupt = { code: 'source_corrupt', retryable: false } as const;
const forbidden = { code: 'source_forbidden', retryable: false } as const;
const malformed = { code: 'bad_request', retryable: false } as const;

/** Permanently broken: one attempt is enough. */
export const PERMANENT: readonly BrokenKind[] = [
  { name: '404', ...missing, answer: status(404) },
  { name: '410', ...missing, answer: status(410) },
  { name: '403', ...refusing, answer: status(403) },
  { name: 'redirects without end', ...refusing, answer: redirect('?again') },
  { name: 'HTML with 200', ...noImage, answer: body('text/html', '<!doctype html><p>Sign in first') },
  { name: 'SVG', ...noImage, answer: body('image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"/>') },
  { name: 'empty', ...noImage, answer: body('image/jpeg', '') },
  {
    ...{ name: 'truncated JPEG', ...corrupt },
    answer: (response, pictures) => void response.end(firstHalf(pictures)),
  },
  {
    ...{ name: 'too many bytes, announced', ...tooLarge },
    answer: (response, pictures) =>
      void response.writeHead(200, { 'Content-Length': 1e12 }).write(firstHalf(pictures)),
  },
  {
    ...{ name: 'too many bytes, unannounced', ...tooLarge },
    answer: (response, { photograph }) => {
      for (let bytes = 0; bytes <= 2 * MAX_BYTES; bytes += photograph.length) response.write(photograph);
    },
  },
  {
    ...{ name: 'too many bytes, unpacked', ...tooLarge },
    answer: (response) =>
      void response.setHeader('Content-Encoding', 'gzip').end(gzipSync(Buffer.alloc(2 * MAX_BYTES))),
  },
  {
    name: 'too many pixels',
    ...tooLarge,
    answer: (response, { manyPixels }) => void response.end(manyPixels),
  },
  { name: 'redirect to a private address', ...forbidden, answer: redirect(`http://${PRIVATE}/a.jpg`) },
  { name: 'private address', ...forbidden, elsewhere: () => `http://${PRIVATE}` },
  { name: 'private address in IPv6', ...forbidden, elsewhere: () => `http://[::ffff:${PRIVATE}]` },
  { name: 'metadata of a cloud', ...forbidden, elsewhere: () => 'http://169.254.169.254' },
  { name: 'another port of this machine', ...forbidden, elsewhere: () => 'http://127.0.0.1:2' },
  { name: 'another scheme', ...malformed, elsewhere: (authority) => `ftp://${authority}` },
  { name: 'no URL', ...malformed, elsewhere: () => 'uploads' },
];

/** A port on which nothing listens. */
const CLOSED = '127.0.0.1:1';

/** Possibly temporary, so that it is retried. */
const TRANSIENT: readonly BrokenKind[] = [
  { name: '500', ...unavailable, answer: status(500) },
  { name: 'no answer', ...timeout, answer: never },
  {
    ...{ name: 'half an answer', ...timeout },
    answer: (response, pictures) =>
      void response
        .writeHead(200, { 'Content-Length': pictures.photograph.length })
        .write(firstHalf(pictures)),
  },
  {
    ...{ name: 'fewer bytes than announced', ...unavailable },
    answer: (response, pictures) =>
      void response
        .writeHead(200, { 'Content-Length': pictures.photograph.length })
        .write(firstHalf(pictures), () => response.destroy()),
  },
  {
    ...{ name: 'no HTTP', ...unavailable },
    answer: ({ socket }) => void socket?.end('220 mail.example.com ESMTP\r\n'),
  },
  // A label of more than 63 characters is refused by the resolver itself, without a query.
  { name: 'DNS', ...unavailable, elsewhere: () => `http://${'a'.repeat(64)}.example` },
  { name: 'connection refused', ...unavailable, elsewhere: () => `http://${CLOSED}` },
  { name: 'TLS', ...unavailable, elsewhere: (authority) => `https://${authority}` },
];

export const BROKEN_KINDS: readonly BrokenKind[] = [...PERMANENT, ...TRANSIENT];

/** A client's server with good and broken sources. */
export interface ClientServer {
  /** The environment with which prewarm can reach it. */
  env: { SOURCE_ALLOW_PRIVATE: string };
  /** How often each source was fetched. */
  fetches: Map<string, number>;
  /** Called with each source that is fetched. */
  onFetch: (src: string) => void;
  /** The URL of a source, distinct for each number; good unless a kind is given. */
  url(number: number, kind?: BrokenKind): string;
  close(): void;
}

/** Starts a server with good sources and one for each broken kind. */
export async function serveBrokenSources(): Promise<ClientServer> {
  const photographs = await readPhotographs();
  const [first] = photographs;
  if (!first) throw new Error('no photograph');
  const manyPixels = await sharp({ create: { width: 2000, height: 2000, channels: 3, background: 'grey' } })
    .png()
    .toBuffer();
  const pictures = { photograph: first.bytes, manyPixels };
  const fetches = new Map<string, number>();
  const server = createServer(({ url = '' }, response) => {
    const [path = '', query] = url.split('?', 2);
    // The redirect loop adds a query: its further requests belong to the same fetch.
    if (query === undefined) {
      const src = `http://${authority}${path}`;
      fetches.set(src, (fetches.get(src) ?? 0) + 1);
      client.onFetch(src);
    }
    const [, kind, number] = path.split('/');
    const answer = BROKEN_KINDS[Number(kind)]?.answer;
    if (answer) answer(response, pictures);
    else response.end(photographs[Number.parseInt(number ?? '', 10) % photographs.length]?.bytes);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client: ClientServer = {
    env: { SOURCE_ALLOW_PRIVATE: `${authority},${CLOSED}` },
    fetches,
    onFetch: () => {},
    url(number, kind) {
      const path = `/${kind ? BROKEN_KINDS.indexOf(kind) : 'good'}/${number}.jpg`;
      return `${kind?.elsewhere?.(authority) ?? `http://${authority}`}${path}`;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return client;
}
