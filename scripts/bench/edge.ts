import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildEdgeFunction } from '../../infra/bundle/build-edge-function.ts';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { withFolder } from './work-folder.ts';

/** Calls a round: njs frees nothing before its end. */
const CALLS = 5000;
const ROUNDS = 5;
const KEY = { id: 'k1', hex: '00112233445566778899aabbccddeeff' };

/** What a request costs at the edge: the built function under njs, against a function of that engine that does nothing. */
const code = buildEdgeFunction({ widths: [160, 320, 480, 720, 1080, 1600, 2048], defaultWidth: 1080 });
const src = 'https://clients.example.com/uploads/2026/11/IMG_20261125_0001.jpg?token=abc';
const target = await buildImageUrl({ baseUrl: '', unit: 'unit-1', src, width: 720 }, KEY);
const [path = '', query = ''] = target.split('?');
const keys = `export default { kvs: () => ({ get: async () => '${KEY.id}:${KEY.hex}' }) };`;

const LOOP = `
async function main() {
  let outcome;
  const start = Date.now();
  for (let i = 0; i < ${CALLS}; i++) {
    outcome = await handler({ request: {
      method: 'GET', uri: ${JSON.stringify(path)}, querystring: {}, rawQueryString: () => ${JSON.stringify(query)},
      headers: { accept: { value: 'image/avif,image/webp,*/*;q=0.8' } },
    } });
  }
  if (!outcome.uri) throw new Error('refused');
  console.log((Date.now() - start) * 1000 / ${CALLS});
}
main();
`;

await withFolder(tmpdir(), async (folder) => {
  writeFileSync(join(folder, 'cloudfront'), keys);
  const measure = (handler: string) => {
    writeFileSync(join(folder, 'main.js'), `${handler}\n${LOOP}`);
    const rounds = Array.from({ length: ROUNDS }, () =>
      Number(execFileSync('njs', ['-p', folder, 'main.js'], { cwd: folder, encoding: 'utf8' })),
    );
    return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  };
  const edge = measure(code);
  const nothing = measure('async function handler(event){return event.request}');
  process.stdout.write(
    `the edge function: ${Buffer.byteLength(code)} bytes; a signed request: ${edge.toFixed(1)} µs under njs` +
      ` (a function that does nothing: ${nothing.toFixed(1)} µs)\n`,
  );
});
