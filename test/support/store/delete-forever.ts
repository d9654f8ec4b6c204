import { createFileStore } from '../../../src/store/file-store.ts';

/* A process to be killed: deletes what a folder lists, and a key that is mostly not there, for ever. Prints a dot at the start. */
const [root = '', folder = '', key = ''] = process.argv.slice(2);
const store = createFileStore({ root });
process.stdout.write('.');
for (;;) {
  const keys = [key];
  for await (const found of store.list(folder)) keys.push(found.key);
  await store.delete(keys);
}
