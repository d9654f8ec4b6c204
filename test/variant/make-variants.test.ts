import { expect, it } from 'vitest';
import type { Encoder } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { setUpPhotograph, temporaryFolder } from '../support/http/service.ts';
import { holdStore } from '../support/store/held-store.ts';

it('closes an image once it is encoded, while the store still takes the variant', async () => {
  const sharpEncoder = createSharpEncoder({ concurrency: 1, maxPixels: 100_000_000 });
  const closed = { count: 0 };
  const encoder: Encoder = {
    async decode(...source) {
      const image = await sharpEncoder.decode(...source);
      return { ...image, close: () => void closed.count++ };
    },
  };
  const { store, hold } = holdStore(createFileStore({ root: await temporaryFolder() }), {
    operation: 'put',
    key: /\.jpeg$/,
    when: 'before',
  });
  const { service, target } = await setUpPhotograph({}, { encoder, store });
  const response = service.request(await target({ format: 'jpeg' }));
  await hold.reached;
  try {
    expect(closed.count).toBe(1);
  } finally {
    hold.release();
  }
  expect((await response).status).toBe(200);
  expect(closed.count).toBe(1);
});
