import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandFailure } from '../cli/command.ts';

/** An input that failed, as it is saved. */
export interface Failure {
  kind: string;
  /** The seed of the run, and the number of the input among those of its kind. */
  seed: number;
  index: number;
  finding: string;
  input: unknown;
}

const failureSchema = z.object({
  kind: z.string(),
  seed: z.int(),
  index: z.int(),
  finding: z.string(),
  input: z.unknown(),
});
const BYTES = 'base64';
/** Several failures may be at the same input. */
let fileNumber = 0;

/**
 * Writes a failure to a file of its own.
 *
 * @returns its path
 */
export async function saveFailure(folder: string, failure: Failure): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${failure.kind}-${failure.seed}-${failure.index}-${fileNumber++}.json`);
  await writeFile(path, `${JSON.stringify(failure, encodeBytes, 2)}\n`);
  return path;
}

/** @throws CommandFailure if it is not such a file */
export async function readFailure(path: string): Promise<Failure> {
  try {
    return failureSchema.parse(JSON.parse(await readFile(path, 'utf8'), decodeBytes)) as Failure;
  } catch (cause) {
    throw new CommandFailure(`${path} is not a file that fuzz has written: ${(cause as Error).message}`);
  }
}

/** A replacer of `JSON.stringify`. `Buffer` turns itself into a list of numbers before it is asked: hence the holder. */
function encodeBytes(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  return original instanceof Uint8Array ? { [BYTES]: Buffer.from(original).toString('base64') } : value;
}

function decodeBytes(_key: string, value: unknown): unknown {
  const isBytes =
    typeof value === 'object' && value !== null && BYTES in value && Object.keys(value).length === 1;
  return isBytes ? Buffer.from(String(value[BYTES as keyof typeof value]), 'base64') : value;
}
