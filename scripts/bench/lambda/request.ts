import { sha256 } from '../../../src/hashing.ts';
import { variantAddress } from '../../../src/protocol/keys.ts';
import type { Format } from '../../../src/protocol/request.ts';
import { type FunctionUrlResult, functionUrlEvent } from '../../../test/support/lambda/function-url.ts';
import type { Lambda } from '../../../test/support/lambda/lambda.ts';

/**
 * Requests a variant as the edge function sends the request on.
 *
 * @returns how many bytes the image has
 * @throws Error unless it is a hit or miss as expected
 */
export async function invokeImage(
  lambda: Lambda,
  { src, width, format }: { src: string; width: number; format: Format },
  expected: 'hit' | 'miss',
): Promise<number> {
  const variant = { unit: 'bench', src, width, tier: 'balanced', format } as const;
  const target = `/u/bench?src=${encodeURIComponent(src)}`;
  const r = Buffer.from(target).toString('base64url');
  const event = functionUrlEvent('GET', `/${variantAddress(variant, sha256).key}?r=${r}`);
  const { headers, body } = await lambda.invoke<FunctionUrlResult>(event);
  if (!headers['cache-status']?.includes(expected))
    throw new Error(`expected a ${expected}: ${JSON.stringify(headers)}`);
  return Buffer.byteLength(body, 'base64');
}
