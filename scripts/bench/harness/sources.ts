import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { readPhotographs } from '../../../src/demo/demo.ts';
import { CommandFailure } from '../../cli/command.ts';

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

/** What the cameras of phones make. */
const LARGE_MEGAPIXELS = 12;
const MIN_LARGE_MEGAPIXELS = 10;

/**
 * Returns the photographs of a folder that have 10 megapixels or more. Without a folder, those of the demo are enlarged to 12 megapixels and
 * get the profile that most cameras embed: they have fewer bytes and details than a camera's.
 *
 * @throws CommandFailure if the folder has none, or does not exist
 */
export async function largePhotographs(folder: string | undefined): Promise<BenchSource[]> {
  if (folder !== undefined) {
    if (!existsSync(folder)) throw new CommandFailure(`there is no folder or benchmark ${folder}`);
    const sources = await readSources(folder, MIN_LARGE_MEGAPIXELS);
    if (sources.length > 0) return sources;
    throw new CommandFailure(`${folder} has no image of ${MIN_LARGE_MEGAPIXELS} megapixels or more`);
  }
  return await Promise.all(
    (await readPhotographs()).map(async ({ name, bytes }) => {
      const { width, height } = await sharp(bytes).metadata();
      const scale = Math.sqrt((LARGE_MEGAPIXELS * 1e6) / (width * height));
      const image = sharp(bytes).resize({ width: Math.round(width * scale) });
      const large = await image.jpeg({ quality: 92 }).withIccProfile('srgb').toBuffer();
      return { name, bytes: large, megapixels: LARGE_MEGAPIXELS };
    }),
  );
}

/** Serves sources at `/{index}`, with any query. `counts` counts the requests: all, and by their query. */
export async function serveSources(sources: readonly BenchSource[]) {
  const counts = { requests: 0, byQuery: new Map<string, number>() };
  const server = createServer((request, response) => {
    counts.requests++;
    const [index, query = ''] = (request.url ?? '').slice(1).split('?');
    counts.byQuery.set(query, (counts.byQuery.get(query) ?? 0) + 1);
    response.end(sources[Number(index)]?.bytes);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { authority, counts, close: () => server.close() };
}
