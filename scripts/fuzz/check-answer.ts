import sharp from 'sharp';
import { z } from 'zod';
import type { ErrorCode } from '../../src/protocol/error.ts';
import { problemResponse } from '../../src/protocol/problem.ts';
import { Finding } from './finding.ts';
import type { Answer } from './parse-answers.ts';

/** What a problem document has to have (RFC 9457, and the contract of the service). */
const problemSchema = z.object({
  type: z.literal('about:blank'),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  code: z.string().regex(/^[a-z_]+$/),
  retryable: z.boolean(),
  parameter: z.string().optional(),
});

/**
 * Checks an answer by itself: it is a whole image that decodes, a valid problem document other than `internal`, or a success of another kind.
 *
 * @param isHead - whether it may lack its body
 * @returns the code of the problem document, or the status, with `image` for an image
 * @throws Finding
 */
export async function checkAnswer({ status, headers, body }: Answer, isHead = false): Promise<string> {
  const type = headers.get('content-type') ?? '';
  const isEmpty = body.length === 0 && isHead;
  if (status >= 400) return isEmpty ? String(status) : checkProblem(status, type, body);
  if (!type.startsWith('image/') || status === 304 || isEmpty) return String(status);
  if (headers.get('x-content-type-options') !== 'nosniff') throw new Finding('an image without `nosniff`');
  if (status === 200) await checkImage(type, body);
  return `${status} image`;
}

function checkProblem(status: number, type: string, body: Buffer): string {
  if (type !== 'application/problem+json')
    throw new Finding(`${status} is no problem document: ${type} ${show(body)}`);
  const { data, error } = problemSchema.safeParse(parseJson(body));
  if (!data) throw new Finding(`not a valid problem document: ${error.message} ${show(body)}`);
  if (data.code === 'internal') throw new Finding(`internal: ${data.detail}`);
  const { status: expected } = problemResponse({ code: data.code as ErrorCode, detail: '' });
  // What HTTP itself has a status for may have it with the code of a malformed request.
  const isOwnStatus = data.code === 'bad_request' && status < 500;
  if (data.status !== status || (status !== expected && !isOwnStatus))
    throw new Finding(`${data.code} with status ${status}, and ${data.status} in its document`);
  return data.code;
}

/** Decodes all frames, and fails at the first thing that is wrong. */
async function checkImage(type: string, body: Buffer): Promise<void> {
  try {
    await sharp(body, { animated: true, failOn: 'warning' }).stats();
  } catch (error) {
    throw new Finding(`an ${type} of ${body.length} bytes that does not decode: ${(error as Error).message}`);
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function show(body: Buffer): string {
  return JSON.stringify(body.toString('latin1', 0, 120));
}
