// Started as a process of its own. The lower bound that misses are compared with: node:http and sharp in one pass, with the settings that
// the service chooses for the picture, of files in memory; nothing is fetched, checked, classified, stored or logged.
// `/{index}?format=&width=` encodes a file. With IGNORE_SRGB, profiles of sRGB are ignored, as the service does.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp, { type Sharp } from 'sharp';
import { profileToApply } from '../../../src/decode/colours/read-colours.ts';
import { type Size, scaled, scaleInside } from '../../../src/decode/size.ts';
import { correctLuma } from '../../../src/encode/correct-luma.ts';
import {
  type EncoderSettings,
  MAX_SIDE,
  runEncoder,
  toEncoding,
  variantSize,
} from '../../../src/encode/encodings.ts';
import { createMetric } from '../../../src/encode/metric.ts';
import { openPixels, readPixels, resizeAndCrop } from '../../../src/encode/pixels.ts';
import { createStill } from '../../../src/encode/still.ts';
import { fastSettings } from '../../../src/encode/tier-quality.ts';
import type { Format } from '../../../src/protocol/request.ts';

sharp.concurrency(1);
sharp.cache(false);
const urls: string[] = JSON.parse(process.env['SOURCES'] ?? '[]');
const files = await Promise.all(urls.map(async (url) => Buffer.from(await (await fetch(url)).arrayBuffer())));
const ignoresSrgb = process.env['IGNORE_SRGB'] !== undefined;

/** What an encode needs to know. It is found once for each variant, which is not measured. */
interface Known {
  size: Size;
  kept: Size;
  ignoreIcc: boolean;
  settings: EncoderSettings;
}
const known = new Map<string, Known>();

function open(bytes: Buffer, { size, kept, ignoreIcc }: Omit<Known, 'settings'>): Sharp {
  return resizeAndCrop(sharp(bytes, { failOn: 'warning', ignoreIcc }).autoOrient(), size, kept);
}

async function prepare(bytes: Buffer, width: number, format: Format): Promise<Known> {
  const metadata = await sharp(bytes).metadata();
  const size = scaled(
    metadata.autoOrient,
    scaleInside(metadata.autoOrient, { width, height: MAX_SIDE[format] }),
  );
  const ignoreIcc = profileToApply(metadata) === undefined;
  const kept = variantSize(size, format);
  const pixels = await readPixels(open(bytes, { size, kept, ignoreIcc }));
  const still = await createStill({ pixels, metric: createMetric(1), runWithPermit: (work) => work() });
  const settings = fastSettings(format, 'balanced', still);
  return { size, kept, ignoreIcc: ignoresSrgb && ignoreIcc, settings };
}

async function encode(url: string): Promise<Uint8Array> {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const bytes = files[Number(pathname.slice(1))] as Buffer;
  const prepared =
    known.get(url) ??
    (await prepare(bytes, Number(searchParams.get('width')), searchParams.get('format') as Format));
  known.set(url, prepared);
  const { settings } = prepared;
  const image = open(bytes, prepared);
  const isCorrected = settings.encoding === 'avif' && settings.sharpChroma;
  const input = isCorrected ? openPixels(await correctLuma(await readPixels(image))) : image;
  return (await runEncoder(toEncoding(input, settings), settings.encoding)).body;
}

const server = createServer((request, response) => {
  encode(request.url ?? '').then(
    (body) => response.end(body),
    (error: Error) => response.writeHead(500).end(error.message),
  );
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`{"url":"http://127.0.0.1:${(server.address() as AddressInfo).port}"}\n`);
});
process.once('SIGTERM', () => process.exit(0));
