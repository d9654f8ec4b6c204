import sharp from 'sharp';
import { type Answer, describeAnswer } from './ask.ts';

/** What was expected was not there. */
export class StepFailure extends Error {}

/** There is nothing to be seen here, for this reason. */
export class NothingToSee extends Error {}

/** What sharp calls what is said to be this type. */
const FORMATS: Readonly<Record<string, string>> = {
  'image/avif': 'heif av1',
  'image/webp': 'webp',
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/gif': 'gif',
};

/** What to do about problems that lie with whoever asks. */
const REMEDIES: Readonly<Record<string, string>> = {
  bad_signature: 'SIGNING_KEYS is not what the service has',
  source_forbidden: 'name an original with --src that SOURCE_ALLOW lets through',
};

/** @throws StepFailure with what was seen, and why that is wrong */
export function fail(answer: Answer, why: string): never {
  const { code, detail } = problemOf(answer);
  const seen = code === undefined ? describeAnswer(answer) : `${answer.status} ${code} (${detail})`;
  throw new StepFailure(`${seen}: ${why}`);
}

/** The code and detail of a problem document. */
export function problemOf({ headers, body }: Answer): { code?: string; detail?: string } {
  if (headers.get('content-type')?.startsWith('application/problem+json') !== true) return {};
  try {
    return JSON.parse(body.toString()) as { code?: string; detail?: string };
  } catch {
    return {};
  }
}

/**
 * Looks at whether it is a whole picture of the type that it says.
 *
 * @returns its size, such as `320×214`
 * @throws StepFailure
 */
export async function requirePicture(answer: Answer): Promise<string> {
  if (answer.status !== 200) fail(answer, REMEDIES[problemOf(answer).code ?? ''] ?? 'not a picture');
  const type = answer.headers.get('content-type') ?? '';
  const format = FORMATS[type];
  if (format === undefined) fail(answer, 'no type of a picture that the service makes');
  try {
    const { format: found, compression, width, height } = await sharp(answer.body).metadata();
    await sharp(answer.body).raw().toBuffer();
    const is = [found, compression].filter((part) => part !== undefined).join(' ');
    if (is !== format) fail(answer, `it is ${is}, not what its type says`);
    return `${width}×${height}`;
  } catch (error) {
    if (error instanceof StepFailure) throw error;
    return fail(answer, `it cannot be decoded: ${(error as Error).message}`);
  }
}
