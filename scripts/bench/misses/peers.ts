import { imageUrl } from '../../../src/client/image-url.ts';
import type { Format } from '../../../src/protocol/request.ts';
import { CommandFailure } from '../../cli/command.ts';
import { type ServerProcess, startServer, startService } from '../harness/processes.ts';

/** A new variant of one of the photographs. */
export interface VariantRequest {
  /** Of the photograph. */
  index: number;
  format: Format;
  width: number;
  /** Makes its source a new one. */
  id: string;
}

/** A server that makes variants. */
export interface Peer {
  name: string;
  server: ServerProcess;
  urlOf(request: VariantRequest): string | Promise<string>;
}

const SETTLING_MISSES = 120;
const SETTLING_WIDTH = 160;

/** What the service is compared with, by name. */
export const OTHER_PEERS = ['floor', 'sharp', 'ipx'] as const;

/** Starts the service with its defaults, which include the log, and a new store. */
export async function startOwnPeer(authority: string): Promise<Peer> {
  const server = await startService({ SOURCE_ALLOW_PRIVATE: authority });
  return {
    name: 'edgepress',
    server,
    urlOf: ({ index, format, width, id }) =>
      imageUrl({
        ...{ baseUrl: server.url, unit: 'bench', width, format },
        src: `http://${authority}/${index}?id=${id}`,
      }),
  };
}

/**
 * Starts one of {@link OTHER_PEERS}.
 *
 * @param count - of the photographs that the origin serves
 * @throws CommandFailure if there is none of that name
 */
export async function startOtherPeer(name: string, authority: string, count: number): Promise<Peer> {
  if (!OTHER_PEERS.some((known) => known === name))
    throw new CommandFailure(`no peer is called ${name}: there are ${OTHER_PEERS.join(', ')}`);
  if (name === 'ipx') return await startIpx(authority);
  const sources = Array.from({ length: count }, (_, index) => `http://${authority}/${index}`);
  const env = { SOURCES: JSON.stringify(sources), ...(name === 'floor' && { IGNORE_SRGB: '1' }) };
  const server = await startServer('scripts/bench/harness/sharp-server.ts', env);
  return {
    name: name === 'floor' ? 'floor: sharp without needless colour transforms' : 'sharp',
    server,
    urlOf: ({ index, format, width }) => `${server.url}/${index}?format=${format}&width=${width}`,
  };
}

async function startIpx(authority: string): Promise<Peer> {
  const server = await startServer('scripts/bench/harness/ipx-server.ts', { ORIGIN: authority });
  return {
    name: 'ipx',
    server,
    urlOf: ({ index, format, width, id }) =>
      `${server.url}/f_${format},w_${width}/http://${authority}/${index}?id=${id}`,
  };
}

/**
 * Requests a variant from a server.
 *
 * @returns how many bytes it answered
 * @throws Error if it does not answer 2xx
 */
export async function fetchVariant({ name, urlOf }: Peer, request: VariantRequest): Promise<number> {
  const response = await fetch(await urlOf(request));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  return (await response.arrayBuffer()).byteLength;
}

/**
 * Requests small variants until the compiler has settled: before, a main thread needs several times as long.
 *
 * @param images - how many photographs there are
 */
export async function settle(
  images: number,
  request: (variant: VariantRequest) => Promise<number>,
): Promise<void> {
  for (let number = 0; number < SETTLING_MISSES; number++)
    await request({ index: number % images, format: 'webp', width: SETTLING_WIDTH, id: `settle-${number}` });
}
