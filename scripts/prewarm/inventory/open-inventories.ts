import type { S3Client } from '@aws-sdk/client-s3';
import type { Config } from '../../../src/config.ts';
import { CommandFailure } from '../../cli/command.ts';
import type { LineInput } from '../../cli/input.ts';
import type { InputSource } from '../../cli/input-source.ts';
import { objectSource } from '../../cli/s3-input.ts';
import { type InventoryManifest, parseInventoryManifest } from './manifest.ts';
import type { Inventory } from './read-inventory.ts';
import { createUnitOfKey, UNIT_OF_FOLDER } from './unit-of-key.ts';

/** An input that is an S3 Inventory. */
export interface InventorySource extends InputSource {
  inventory: Inventory;
}

export interface InventoryOptions {
  /** The pattern of `--unit-of`. */
  unitOf?: string;
  /** Where the objects are fetched from, if not from S3: `https://images.example.com/`. */
  baseUrl?: string;
}

/** Of 50,000 files, each with a million objects or so. */
const MAX_MANIFEST_BYTES = 2 ** 24;
const MANIFEST_NAME = /^s3:\/\/([^/]+)\/(?:.*\/)?manifest\.json$/s;

export function isInventorySource(file: InputSource): file is InventorySource {
  return 'inventory' in file;
}

/**
 * Finds the manifests of S3 Inventories among inputs: objects named `manifest.json` that are one. Others stay as they are.
 *
 * @throws CommandFailure if an inventory cannot be read, its objects are no allowed sources, or an option is wrong or of no use
 */
export async function openInventories(
  input: LineInput,
  client: S3Client | undefined,
  options: InventoryOptions,
  config: Pick<Config, 'sourceAllow' | 'queue'>,
): Promise<LineInput> {
  const unitOf = createUnitOfKey(options.unitOf ?? UNIT_OF_FOLDER);
  const baseUrl = options.baseUrl === undefined ? undefined : parseBaseUrl(options.baseUrl);
  const open = async (file: InputSource): Promise<InputSource> => {
    const bucket = MANIFEST_NAME.exec(file.name)?.[1];
    if (!client || bucket === undefined || (file.bytes ?? 0) > MAX_MANIFEST_BYTES) return file;
    const manifest = parseInventoryManifest(file.name, await textOf(file));
    if (!manifest) return file;
    const sourceOf = createSourceOf(manifest, baseUrl);
    if (baseUrl === undefined) assertAllowed(manifest.sourceBucket, config);
    const files = manifest.files.map(({ key, bytes }) =>
      objectSource(client, { bucket, key, bytes, etag: undefined }),
    );
    const bytes = manifest.files.reduce((sum, part) => sum + part.bytes, 0);
    const inventory = {
      columns: manifest.columns,
      files: files.map(({ chunks }, index) => ({ bytes: manifest.files[index]?.bytes ?? 0, chunks })),
      ...{ unitOf, sourceOf },
    };
    const source: InventorySource = { ...file, bytes, inventory };
    return source;
  };
  const files = await Promise.all(input.files.map(open));
  if ((options.unitOf ?? baseUrl) !== undefined && !files.some(isInventorySource))
    throw new CommandFailure(
      '--unit-of and --base-url are for an S3 Inventory: name its manifest, such as s3://bucket/path/2026-11-28T01-00Z/manifest.json',
    );
  const sizes = files.map(({ bytes }) => bytes);
  const totalBytes = sizes.includes(undefined)
    ? undefined
    : sizes.reduce<number>((sum, bytes = 0) => sum + bytes, 0);
  return { ...input, files, totalBytes };
}

async function textOf(file: InputSource): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.chunks(new AbortController().signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parseBaseUrl(text: string): string {
  if (/^https?:\/\/[^/?#]+(\/[^?#]*)?$/.test(text)) return text.endsWith('/') ? text : `${text}/`;
  throw new CommandFailure('--base-url must be an http(s) URL without a query, such as https://example.com/');
}

function createSourceOf({ sourceBucket }: InventoryManifest, baseUrl: string | undefined) {
  if (baseUrl === undefined) return (key: string) => `s3://${sourceBucket}/${key}`;
  return (key: string) => `${baseUrl}${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** With another queue, the workers' own environment decides. */
function assertAllowed(bucket: string, { sourceAllow, queue }: Pick<Config, 'sourceAllow' | 'queue'>): void {
  const isAllowed = sourceAllow.some(
    ({ scheme, host }) =>
      scheme === 's3:' && (host.kind === 'any' || (host.kind === 'exact' && host.host === bucket)),
  );
  if (isAllowed || queue.kind !== 'local') return;
  throw new CommandFailure(
    `SOURCE_ALLOW names no object of s3://${bucket}: add s3://${bucket}/* to it, or say with --base-url where the images are fetched from`,
  );
}
