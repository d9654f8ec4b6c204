import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PURGE_CLOCK_KEY, QUEUE_LEASE_KEY, VARIANT_PREFIX } from '../../../src/protocol/keys.ts';
import type { Overrides } from '../../../src/services.ts';
import { createFileStore } from '../../../src/store/file-store.ts';
import type { UnitStatus } from '../../../src/unit/status.ts';
import { photograph } from '../pictures.ts';
import { failingStore } from '../store/failing-store.ts';
import { startOrigin, startService, temporaryFolder, until } from './service.ts';

type Body = NonNullable<RequestInit['body']>;

export const TOKEN = 'token-of_the.operators~1+/==';

/** The response to `POST /units`. */
export interface Ingested {
  accepted: number;
  images: number;
  refusedCount: number;
  refused: { line: number; unit?: string; state: string; detail: string }[];
  notes?: string[];
}

/** A service with unit routes that makes one small variant of each image, and requests with the admin token. */
export async function startAdminService(env: Record<string, string> = {}, overrides: Overrides = {}) {
  const service = await startService(
    { ADMIN_TOKEN: TOKEN, PREWARM_WIDTHS: '160', PREWARM_FORMATS: 'webp', ...env },
    overrides,
  );
  const adminRequest = (method: string, target: string, body?: Body) =>
    service.request(target, {
      method,
      headers: { Authorization: `Bearer ${TOKEN}` },
      ...(body !== undefined && { body, duplex: 'half' as const }),
    });
  const json = async <T>(response: Promise<Response>): Promise<T> => (await (await response).json()) as T;
  const statusOf = (id: string) => json<UnitStatus>(adminRequest('GET', `/units/${id}`));
  return {
    service,
    adminRequest,
    /** Sends NDJSON. */
    ingest: (body: Body, query = '') => json<Ingested>(adminRequest('POST', `/units${query}`, body)),
    statusOf,
    /** Returns the status of a unit once no image is pending. */
    async finalStatus(id: string): Promise<UnitStatus> {
      let status = await statusOf(id);
      await until(async () => {
        status = await statusOf(id);
        return status.totals.pending === 0;
      });
      return status;
    },
    /** Resolves when all jobs are done. */
    queueIsEmpty: () => until(async () => (await service.unitServices.queue.depth()) === 0),
    /** Returns the samples of `GET /metrics`, by name and labels as they are written. */
    async metrics(): Promise<ReadonlyMap<string, number>> {
      return samplesOf(await (await adminRequest('GET', '/metrics')).text());
    },
  };
}

/** A service that may fetch no source, so that each image is broken as soon as its job is processed. */
export function startForbiddingService(env: Record<string, string> = {}) {
  return startAdminService({ SOURCE_ALLOW: 'https://nowhere.test/*', ...env });
}

/**
 * A service that has finished its work on some units. Each has a manifest, one variant, and the record of a broken source.
 *
 * @param failing - keys and folders for which `put`, `delete` and `list` of the store fail
 */
export async function startWithUnits(
  ids: readonly string[],
  env: Record<string, string> = {},
  failing?: RegExp,
) {
  const photo = await photograph();
  const origin = await startOrigin((request, response) =>
    request.url === '/gone' ? response.writeHead(404).end() : response.end(photo),
  );
  const root = await temporaryFolder();
  const store = createFileStore({ root });
  const admin = await startAdminService(
    { SOURCE_ALLOW_PRIVATE: origin.authority, ...env },
    { store: failing ? failingStore(store, failing, 'put', 'delete', 'list') : store },
  );
  const src = `${origin.url}/a.jpg`;
  await admin.ingest(ids.map((id) => unitLine(id, src, `${origin.url}/gone`)).join(''));
  await admin.queueIsEmpty();
  return { ...admin, root, src };
}

/** One line of NDJSON. */
export function unitLine(id: string, ...images: string[]): string {
  return `${JSON.stringify({ id, images })}\n`;
}

/** A request body of these chunks, which then ends, or fails with the error. */
export function streamOf(chunks: readonly Uint8Array[], error?: Error): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream(
    {
      pull(controller) {
        const chunk = left.shift();
        if (chunk) controller.enqueue(chunk);
        else if (error) controller.error(error);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Reads the manifests in a store's folder, by the id of their unit. */
export async function manifestsIn(folder: string): Promise<Record<string, Record<string, unknown>>> {
  // Not the folder of the queue, which comes and goes meanwhile.
  const units = join(folder, VARIANT_PREFIX);
  // There is no such folder before the first unit.
  const all = existsSync(units) ? await readdir(units, { recursive: true }) : [];
  const files = all.filter((file) => file.endsWith('manifest.json'));
  const manifests = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(units, file), 'utf8'))),
  );
  return Object.fromEntries(manifests.map((manifest) => [manifest.id, manifest]));
}

/** Lists the names of all files below a folder, without those that say nothing of a unit: of the last purge, and the lease of the queue. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith('.tmp'));
  const others = [PURGE_CLOCK_KEY, QUEUE_LEASE_KEY].map((key) => key.split('/')[1]);
  return files.map(({ name }) => name).filter((name) => !others.includes(name));
}

/** The hash of a unit in the key of its tombstone and in its cache tag. */
export function hashOf(unit: string): string {
  return createHash('sha256').update(unit).digest('hex').slice(0, 32);
}

const SAMPLE = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (\S+)$/;
const COMMENT = /^# (HELP [a-zA-Z_:][\w:]* .+|TYPE [a-zA-Z_:][\w:]* (counter|gauge|histogram|summary))$/;

/** Parses the text format of Prometheus. Throws on a malformed line and on a duplicate sample. */
export function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  if (!text.endsWith('\n')) throw new Error('the last line has no line break');
  for (const line of text.split('\n')) {
    if (line === '' || COMMENT.test(line)) continue;
    const [, name, value = ''] = SAMPLE.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a sample: ${line}`);
    if (samples.has(name)) throw new Error(`duplicate sample: ${name}`);
    samples.set(name, parseNumber(value));
  }
  return samples;
}

function parseNumber(value: string): number {
  if (/^nan$/i.test(value)) return Number.NaN;
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
  if (Number.isNaN(number)) throw new Error(`not a number: ${value}`);
  return number;
}
