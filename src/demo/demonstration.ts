import type { Logger } from 'pino';
import { buildImageUrl } from '../client/image-url.ts';
import type { Config } from '../config.ts';
import { type RunningServer, startServer } from '../http/start-server.ts';
import type { Format, Tier } from '../variant/request.ts';
import { kilobytes, type PhotographShown, renderFrontPage } from './front-page.ts';
import { type Photograph, readPhotographs, servePhotographs } from './photographs.ts';

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
export function isUnconfigured(config: Config): boolean {
  const { signingKeys, sourceAllow, sourceAllowPrivate, publicUrl, store } = config;
  const sayings = signingKeys.length + sourceAllow.length + sourceAllowPrivate.length;
  return sayings === 0 && publicUrl === undefined && store.kind === 'file';
}

/**
 * Starts the service with a few photographs to try it on. They come from a second listener on loopback, which the
 * address guard lets through here and nowhere else.
 */
export async function startDemonstration(config: Config, log: Logger): Promise<RunningServer> {
  const photographs = await readPhotographs();
  const origin = await servePhotographs(photographs, config.port === 0 ? 0 : config.port + 1);
  const shown: PhotographShown[] = [];
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
async function show(photograph: Photograph, originUrl: string, serverUrl: string): Promise<PhotographShown> {
  const src = `${originUrl}/${photograph.name}.jpg`;
  const variants: PhotographShown['variants'][number][] = [];
  // One after the other, so that not even `QUEUE_LIMIT=0` refuses one.
  for (const { format, tier } of SHOWN) {
    const path = await buildImageUrl({ baseUrl: '', unit: UNIT, src, width: WIDTH, tier, format });
    const response = await fetch(serverUrl + path);
    if (!response.ok) throw new Error(`the demonstration failed: ${await response.text()}`);
    variants.push({ format, tier, path, bytes: (await response.arrayBuffer()).byteLength });
  }
  return { title: photograph.title, src, bytes: photograph.bytes.byteLength, variants };
}

async function describe(shown: readonly PhotographShown[], serverUrl: string): Promise<string> {
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
