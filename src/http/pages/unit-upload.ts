import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { EdgepressError } from '../../protocol/error.ts';
import type { DeclaredFormat } from '../../unit/input/input-kind.ts';
import type { SubmittedBatch } from '../../unit/submit.ts';
import type { Units } from '../../unit/units.ts';
import { type AppEnvironment, readChunks } from '../http-request.ts';
import { type IngestBodyOptions, type IngestReport, ingestBody } from '../ingest-units.ts';
import { readBodyHeaders } from '../unit-body.ts';
import { parseMultipart } from './multipart.ts';

// The form that sends units. A browser's form is read as a whole, so it is limited; `POST /units` is not.

export const MAX_UPLOAD_BYTES = 16 * 2 ** 20;
/** Of the text and the options beside a file, and of what divides them. */
const FORM_OVERHEAD_BYTES = 2 ** 16;
/** In bytes: what is longer is not sent back to be corrected, since pages are small. */
const MAX_TEXT_SENT_BACK = 10_000;
const CHUNK_BYTES = 2 ** 16;
const NOTHING: Uint8Array = new Uint8Array();

/** What was sent with the form. */
export interface Upload {
  /** The text, or the file. */
  content: Uint8Array;
  declared: DeclaredFormat;
  retry: boolean;
  /** The beginning of the text, if it was that, to be sent back and corrected. */
  text: string | undefined;
}

/** Refuses a form that is too large. */
export const limitUpload: MiddlewareHandler<AppEnvironment> = bodyLimit({
  maxSize: MAX_UPLOAD_BYTES + FORM_OVERHEAD_BYTES,
  onError: () => {
    throw new EdgepressError(
      'bad_request',
      `That is more than ${MAX_UPLOAD_BYTES / 2 ** 20} MiB. Send it in parts or compressed, or with \`edgepress prewarm FILE\``,
    );
  },
});

/**
 * Reads the form that sends units.
 *
 * @throws EdgepressError `bad_request` or `unsupported_media_type`
 */
export async function readUpload(request: Request): Promise<Upload> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChunks(request)) chunks.push(chunk);
  const form = parseMultipart(Buffer.concat(chunks), request.headers.get('content-type') ?? '');
  const text = form.get('text')?.content ?? NOTHING;
  const file = form.get('file');
  const retry = String(form.get('retry')?.content ?? '') === '1';
  const hasFile = file?.fileName !== undefined && (file.fileName !== '' || file.content.byteLength > 0);
  if (!hasFile) return { content: text, declared: undefined, retry, text: beginningOf(text) };
  if (String(text).trim() !== '')
    throw new EdgepressError('bad_request', 'There is a text and a file: send one of them');
  return { content: file.content, declared: readBodyHeaders(file.contentType), retry, text: undefined };
}

/**
 * Submits the units of an upload, as `ingestBody` does. Also returns the ids of the first of them.
 *
 * @param maxIds - how many of them
 */
export async function ingestUpload(
  { content, declared, retry }: Upload,
  {
    units,
    ...options
  }: Pick<IngestBodyOptions, 'queue' | 'defaults'> & { units: Pick<Units, 'submitBatch'> },
  maxIds: number,
): Promise<{ report: IngestReport; ids: readonly string[] }> {
  const ids = new Set<string>();
  async function submitBatch(...args: Parameters<Units['submitBatch']>): Promise<SubmittedBatch> {
    const batch = await units.submitBatch(...args);
    for (const { unit } of batch.jobs) if (ids.size < maxIds) ids.add(unit);
    return batch;
  }
  const report = await ingestBody(chunksOf(content), { ...options, units: { submitBatch }, retry, declared });
  return { report, ids: [...ids] };
}

async function* chunksOf(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < content.byteLength; start += CHUNK_BYTES)
    yield content.subarray(start, start + CHUNK_BYTES);
}

function beginningOf(text: Uint8Array): string {
  return new TextDecoder().decode(text.subarray(0, MAX_TEXT_SENT_BACK));
}
