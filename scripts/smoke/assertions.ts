import sharp from 'sharp';
import { messageOf } from '../cli/command.ts';
import { formatResponse, type TimedResponse } from './request.ts';

/** A step has failed: its message says what was seen, and what was expected. */
export class StepFailure extends Error {}

/** A step does not apply here: its message says why. */
export class StepSkipped extends Error {}

/** The format and compression that sharp reports for each content type. */
const FORMATS: Readonly<Record<string, string>> = {
  'image/avif': 'heif av1',
  'image/webp': 'webp',
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/gif': 'gif',
};

/** What the user can do about an error code. */
const REMEDIES: Readonly<Record<string, string>> = {
  bad_signature: 'SIGNING_KEYS differs from the keys of the service',
  source_forbidden: 'give an original that SOURCE_ALLOW allows, with --src',
};

/** @throws StepFailure with a summary of the response, and why it is wrong */
export function fail(response: TimedResponse, why: string): never {
  const { code, detail } = problemOf(response);
  const seen = code === undefined ? formatResponse(response) : `${response.status} ${code} (${detail})`;
  throw new StepFailure(`${seen}: ${why}`);
}

/** The code and detail of a problem document; empty for any other response. */
export function problemOf({ headers, body }: TimedResponse): { code?: string; detail?: string } {
  if (headers.get('content-type')?.startsWith('application/problem+json') !== true) return {};
  try {
    return JSON.parse(body.toString()) as { code?: string; detail?: string };
  } catch {
    return {};
  }
}

/**
 * Checks that a response is a complete image of its content type.
 *
 * @returns its size, such as `320×214`
 * @throws StepFailure
 */
export async function requireImage(response: TimedResponse): Promise<string> {
  if (response.status !== 200)
    fail(response, REMEDIES[problemOf(response).code ?? ''] ?? 'expected an image');
  const type = response.headers.get('content-type') ?? '';
  const format = FORMATS[type];
  if (format === undefined) fail(response, 'not an image type that the service makes');
  try {
    const { format: container, compression, width, height } = await sharp(response.body).metadata();
    await sharp(response.body).raw().toBuffer();
    const found = [container, compression].filter((part) => part !== undefined).join(' ');
    if (found !== format) fail(response, `it is ${found}, which does not match its content type`);
    return `${width}×${height}`;
  } catch (error) {
    if (error instanceof StepFailure) throw error;
    return fail(response, `it cannot be decoded: ${messageOf(error)}`);
  }
}
