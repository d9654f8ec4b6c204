import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../src/source/read-body.ts';

describe('reading a body', () => {
  it.each([4, 6])(
    'throws source_unavailable and destroys the body if 5 bytes are declared and %i are sent',
    async (bytes) => {
      const body = Readable.from([Buffer.alloc(bytes)]);
      const { signal } = new AbortController();
      const read = readBody(body, { maxBytes: 100, declaredBytes: 5, signal, from: 'images.test' });
      await expect(read).rejects.toMatchObject({ code: 'source_unavailable', retryable: true });
      expect(body.destroyed).toBe(true);
    },
  );
});
