import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { EdgepressError } from '../../protocol/error.ts';
import type { DeclaredFormat } from '../../unit/input/input-kind.ts';
import type { SubmittedBatch } from '../../unit/submit.ts';
import type { Units } from '../../unit/units.ts';
import type { AppEnvironment } from '../http-request.ts';
import { type IngestBodyOptions, type IngestReport, ingestBody } from '../ingest-units.ts';
import { readBodyHeaders } from '../unit-body.ts';

// The form that sends units. A browser's form is read as a whole, so it is limited; `POST /units` is not.

export const MAX_UPLOAD_BYTES = 16 * 2 ** 20;
/** Of the text and the options beside a file, and of what divides them. */
const FORM_OVERHEAD_BYTES = 2 ** 16;

/** What was sent with the form. */
export interface Upload {
  /** The text, or the file. */
  content: Blob;
  declared: DeclaredFormat;
  retry: boolean;
  /** The text, if it was that. */
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
  const form = await request.formData().catch((cause: unknown) => {
    throw new EdgepressError(
      'bad_request',
      'The form cannot be read: open the page anew, and send it again',
      {
        cause,
      },
    );
  });
  const sentText = form.get('text');
  const text = typeof sentText === 'string' ? sentText : '';
  const file = form.get('file');
  const hasFile = file instanceof File && (file.size > 0 || file.name !== '');
  if (hasFile && text.trim() !== '')
    throw new EdgepressError('bad_request', 'There is a text and a file: send one of them');
  const retry = form.get('retry') === '1';
  if (!hasFile) return { content: new Blob([text]), declared: undefined, retry, text };
  return { content: file, declared: readBodyHeaders(file.type), retry, text: undefined };
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

async function* chunksOf(content: Blob): AsyncGenerator<Uint8Array, void> {
  yield* content.stream();
}
