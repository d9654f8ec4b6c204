import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pMap from 'p-map';
import sharp from 'sharp';
import { imageUrl } from '../../../src/client/image-url.ts';
import { sha256 } from '../../../src/hashing.ts';
import { unitAddress, variantAddress } from '../../../src/protocol/keys.ts';
import type { VariantStore } from '../../../src/store/store.ts';
import type { ExpectedImage, ExpectedOutcomes } from '../harness/expected-outcomes.ts';
import { startServer } from '../harness/processes.ts';

const WIDTH = 320;
const TIER = 'balanced';
const FORMATS = ['avif', 'webp'] as const;
const CONCURRENCY = 4;

/** The environment in which prewarm makes exactly the variants that are checked here. */
export const WANTED = {
  PREWARM_WIDTHS: String(WIDTH),
  PREWARM_TIERS: TIER,
  PREWARM_FORMATS: FORMATS.join(','),
} as const;

/** Whether everything of an image is in the store: its variants, or the source record of a broken source. */
export async function isComplete(store: Pick<VariantStore, 'head'>, image: ExpectedImage): Promise<boolean> {
  const found = await Promise.all(keysOf(image).map((key) => store.head(key)));
  return found.every((info) => info !== undefined);
}

/** @returns the files that are missing in the store folder, and those that should not be in it */
export async function findFileErrors(root: string, { units, images }: ExpectedOutcomes): Promise<string[]> {
  const manifests = units.map(({ id }) => unitAddress(id, sha256).manifestKey);
  const missing = new Set([...manifests, ...[...images.values()].flatMap(keysOf)]);
  const errors: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const key = relative(root, join(entry.parentPath, entry.name));
    if (!missing.delete(key)) errors.push(`unexpected in the store: ${key}`);
  }
  return [...errors, ...[...missing].map((key) => `not in the store: ${key}`)];
}

/** Requests every variant as a client would, and decodes it. @returns the variants that are not hits or are damaged */
export async function findVariantErrors(root: string, images: Iterable<ExpectedImage>): Promise<string[]> {
  const errors: string[] = [];
  // No source can be fetched, so that a miss is an error.
  const server = await startServer('src/entry/server.ts', {
    PORT: '0',
    STORE: `file:${root}`,
    SOURCE_ALLOW: 'https://nowhere.example/*',
  });
  try {
    const good = [...images].filter(({ kind }) => kind === undefined);
    const checkImage = async ({ unit, src }: ExpectedImage) => {
      for (const format of FORMATS) {
        const options = { baseUrl: server.url, unit, src, width: WIDTH, tier: TIER, format } as const;
        const error = await findHitError(imageUrl(options));
        if (error !== undefined) errors.push(`${format} of ${src} in ${unit}: ${error}`);
      }
    };
    await pMap(good, checkImage, { concurrency: CONCURRENCY });
  } finally {
    await server.stop();
  }
  return errors;
}

async function findHitError(url: string): Promise<string | undefined> {
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

function keysOf({ unit, src, kind }: ExpectedImage): string[] {
  const addresses = FORMATS.map((format) =>
    variantAddress({ unit, src, width: WIDTH, tier: TIER, format }, sha256),
  );
  if (!kind) return addresses.map(({ key }) => key);
  // A malformed source URL has no source record.
  return kind.code === 'bad_request' ? [] : addresses.slice(0, 1).map(({ recordKey }) => recordKey);
}
