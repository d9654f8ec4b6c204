import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { MAX_SIDE, toEncoding } from '../../../src/encode/encodings.ts';
import { fastSettings } from '../../../src/encode/tier-quality.ts';

/** A photograph to measure with. */
export interface BenchSource {
  name: string;
  bytes: Buffer;
  megapixels: number;
}

/** Reads the images of a folder that have at least `minMegapixels`. */
export async function readSources(folder: string, minMegapixels = 0): Promise<BenchSource[]> {
  const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp|avif|heic)$/i.test(name)).sort();
  const sources = await Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(folder, name));
      const { width, height } = await sharp(bytes).metadata();
      return { name, bytes, megapixels: (width * height) / 1e6 };
    }),
  );
  return sources.filter(({ megapixels }) => megapixels >= minMegapixels);
}

/** Serves sources at `/{index}`, with any query. `counts.requests` counts the requests. */
export async function serveSources(sources: readonly BenchSource[]) {
  const counts = { requests: 0 };
  const server = createServer((request, response) => {
    counts.requests++;
    const index = Number(request.url?.slice(1).split('?', 1)[0]);
    response.end(sources[index]?.bytes);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { authority, counts, close: () => server.close() };
}

/** What the service is compared with: decode, resize and encode to a `balanced` AVIF with its own settings, and nothing else. */
export async function encodeBare(bytes: Buffer | ArrayBuffer, width: number): Promise<void> {
  const image = sharp(bytes, { failOn: 'warning' })
    .autoOrient()
    .resize({ width, height: MAX_SIDE.avif, fit: 'inside', withoutEnlargement: true });
  const settings = fastSettings('avif', 'balanced', { contentClass: 'photo', width, height: width });
  await toEncoding(image, settings).toBuffer();
}
