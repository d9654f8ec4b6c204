import { createFileStore } from '../../../src/store/file-store.ts';
import { putVersion } from './version.ts';

// A program that runs until it is killed: it puts versions of a few objects and prints a dot for each. It puts several at a time, so
// that one of them is in progress whenever it is killed.
const [root = '', writer = ''] = process.argv.slice(2);
const store = createFileStore({ root });

async function putForever(key: string): Promise<never> {
  for (let version = 1; ; version += 1) {
    await putVersion(store, key, writer, version, 2_000_000);
    process.stdout.write('.');
  }
}

await Promise.all(
  ['a/x.avif', 'a/source.json', 'b/x.avif', 'manifest.json'].map((name) => putForever(`v1/aa/unit/${name}`)),
);
