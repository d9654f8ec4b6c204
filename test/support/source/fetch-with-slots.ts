import { sha256 } from '../../../src/hashing.ts';
import { createStoredHostSlots } from '../../../src/source/stored-host-slots.ts';
import { createFileStore } from '../../../src/store/file-store.ts';

// A program that fetches a URL a number of times, eight at a time, each with a slot of its host. It prints a dot for each fetch that has
// ended.
const [root = '', url = '', count = '0', limit = '1'] = process.argv.slice(2);
const slots = createStoredHostSlots({
  store: createFileStore({ root }),
  sha256,
  limit: Number(limit),
  fetchTimeoutMs: 1000,
  signal: new AbortController().signal,
  onError: (error) => {
    throw error;
  },
});
let left = Number(count);

async function acquire(): Promise<() => void> {
  for (;;) {
    await slots.ready(url);
    const giveBack = slots.tryTake(url);
    if (giveBack) return giveBack;
  }
}

async function fetchAll(): Promise<void> {
  while (left-- > 0) {
    const giveBack = await acquire();
    await (await fetch(url)).text();
    giveBack();
    process.stdout.write('.');
  }
}

await Promise.all(Array.from({ length: 8 }, fetchAll));
await slots.close();
