import { describe, expect, it } from 'vitest';
import { withDecodeErrors } from '../../src/decode/decode-errors.ts';

async function errorAfter(message: string): Promise<unknown> {
  const decoding = withDecodeErrors('webp', async () => {
    throw new Error(message);
  });
  return await decoding.catch((error: unknown) => error);
}

describe('an image that cannot be decoded', () => {
  it.each([
    'Input buffer has corrupt header: vips_tracked: out of memory -- size == 137MB',
    'vips_image_write_to_memory: out of memory -- size == 12MB',
    'Array buffer allocation failed',
  ])('is not to blame for a lack of memory: %s', async (message) => {
    expect(await errorAfter(message)).toMatchObject({ code: 'overloaded', retryable: true });
  });

  it('is damaged for any other reason', async () => {
    expect(await errorAfter('webp2vips: unable to read')).toMatchObject({ code: 'source_corrupt' });
  });
});
