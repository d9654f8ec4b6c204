import { imageUrl } from '../../../src/client/image-url.ts';
import { TIERS } from '../../../src/protocol/request.ts';

/** A variant in the store. */
export interface StoredVariant {
  url: string;
  body: Buffer;
  /** Those of a hit, without the ones that a server sends by itself. */
  headers: Record<string, string>;
}

/** The sizes of their variants lie between a few kB and some hundred. */
const WIDTHS = [160, 320, 480, 720, 1080, 1600];

/**
 * Has JPEG variants of sources made and stored, of several widths and each tier.
 *
 * @param bytes - the sizes that are wanted
 * @returns for each size the variant that is nearest to it
 */
export async function storeVariants(
  baseUrl: string,
  sources: readonly string[],
  bytes: readonly number[],
): Promise<StoredVariant[]> {
  const variants: StoredVariant[] = [];
  for (const src of sources) {
    for (const width of WIDTHS) {
      for (const tier of TIERS)
        variants.push(
          await storeVariant(imageUrl({ baseUrl, unit: 'bench', src, width, tier, format: 'jpeg' })),
        );
    }
  }
  return bytes.map((wanted) =>
    variants.reduce((best, one) => (distance(one, wanted) < distance(best, wanted) ? one : best)),
  );
}

async function storeVariant(url: string): Promise<StoredVariant> {
  await (await fetch(url)).arrayBuffer();
  const hit = await fetch(url);
  if (!hit.headers.get('cache-status')?.includes('hit')) throw new Error(`no hit: ${await hit.text()}`);
  const { date, connection, 'keep-alive': _, ...headers } = Object.fromEntries(hit.headers);
  return { url, body: Buffer.from(await hit.arrayBuffer()), headers };
}

function distance({ body }: StoredVariant, bytes: number): number {
  return Math.abs(Math.log(body.byteLength / bytes));
}
