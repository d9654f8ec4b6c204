import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';
import { expect, it } from 'vitest';

it('compiles the AssemblyScript of the metric to exactly the committed ssimulacra2.wasm', async () => {
  const baseDir = fileURLToPath(new URL('../..', import.meta.url));
  const built: unknown[] = [];
  const options = [
    'src/encode/assembly/ssimulacra2.ts',
    '--config',
    'src/encode/assembly/asconfig.json',
    '--baseDir',
    baseDir,
  ];
  const { error } = await main(options, { writeFile: (_name, contents) => void built.push(contents) });
  expect(error).toBeNull();
  const committed = await readFile(new URL('../../src/encode/ssimulacra2.wasm', import.meta.url));
  expect(Buffer.compare(built[0] as Uint8Array, committed)).toBe(0);
});
