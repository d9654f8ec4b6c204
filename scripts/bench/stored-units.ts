import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pMap from 'p-map';
import sharp from 'sharp';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress, variantAddress } from '../../src/protocol/keys.ts';
import type { VariantStore } from '../../src/store/store.ts';
import type { ExpectedImage, ExpectedUnits } from './expected-units.ts';
import { startProcess } from './server-process.ts';

/** What is wanted of each image. */
const WIDTH = 320;
const TIER = 'balanced';
const FORMATS = ['avif', 'webp'] as const;
const AT_ONCE = 4;

/** What prewarm is told, so that it makes just that. */
export const WANTED = {
  PREWARM_WIDTHS: String(WIDTH),
  PREWARM_TIERS: TIER,
  PREWARM_FORMATS: FORMATS.join(','),
} as const;

/** Whether all of an image is in the store: its variants, or what is remembered of its source. */
export async function isFinished(store: Pick<VariantStore, 'head'>, image: ExpectedImage): Promise<boolean> {
  const found = await Promise.all(keysOf(image).map((key) => store.head(key)));
  return found.every((info) => info !== undefined);
}

/** What is wrong with the files below a store: there is one for each thing that is wanted, and no other. */
export async function fileFaults(root: string, { units, images }: ExpectedUnits): Promise<string[]> {
  const manifests = units.map(({ id }) => unitAddress(id, sha256).manifestKey);
  const missing = new Set([...manifests, ...[...images.values()].flatMap(keysOf)]);
  const faults: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const key = relative(root, join(entry.parentPath, entry.name));
    if (!missing.delete(key)) faults.push(`in the store, and nobody knows why: ${key}`);
  }
  return [...faults, ...[...missing].map((key) => `not in the store: ${key}`)];
}

/** What is wrong with the variants, read and decoded one by one, and asked for as a phone would. */
export async function variantFaults(root: string, images: Iterable<ExpectedImage>): Promise<string[]> {
  const faults: string[] = [];
  // No source may be fetched: what is not a hit is an error.
  const server = await startProcess('src/entry/server.ts', {
    ...{ PORT: '0', STORE: `file:${root}`, SOURCE_ALLOW: 'https://nowhere.example/*' },
  });
  try {
    const good = [...images].filter(({ way }) => way === undefined);
    const lookUp = async ({ unit, src }: ExpectedImage) => {
      for (const format of FORMATS) {
        const said = { baseUrl: server.url, unit, src, width: WIDTH, tier: TIER, format } as const;
        const fault = await hitFault(await buildImageUrl(said));
        if (fault !== undefined) faults.push(`${format} of ${src} in ${unit}: ${fault}`);
      }
    };
    await pMap(good, lookUp, { concurrency: AT_ONCE });
  } finally {
    await server.stop();
  }
  return faults;
}

async function hitFault(url: string): Promise<string | undefined> {
  const response = await fetch(url);
  const body = Buffer.from(await response.arrayBuffer());
  const cacheStatus = response.headers.get('cache-status');
  if (!response.ok || cacheStatus !== 'edgepress; hit') return `${response.status}, ${cacheStatus}`;
  try {
    const { info } = await sharp(body, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true });
    return info.width === WIDTH ? undefined : `${info.width} pixels wide`;
  } catch (error) {
    return (error as Error).message;
  }
}

function keysOf({ unit, src, way }: ExpectedImage): string[] {
  const addresses = FORMATS.map((format) =>
    variantAddress({ unit, src, width: WIDTH, tier: TIER, format }, sha256),
  );
  if (!way) return addresses.map(({ key }) => key);
  // What is no source at all is not remembered.
  return way.code === 'bad_request' ? [] : addresses.slice(0, 1).map(({ recordKey }) => recordKey);
}
