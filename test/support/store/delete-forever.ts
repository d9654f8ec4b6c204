import { createFileStore } from '../../../src/store/file-store.ts';

// A program that runs until it is killed: it deletes what a folder lists, and a key that mostly does not exist, over and over. It
// prints a dot when it starts.
const [root = '', folder = '', key = ''] = process.argv.slice(2);
const store = createFileStore({ root });
process.stdout.write('.');
for (;;) {
  const keys = [key];
  for await (const found of store.list(folder)) keys.push(found.key);
  await store.delete(keys);
}
