import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { buildEdgeFunction } from '../../infra/bundle/build-edge-function.ts';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { median, print } from './harness/measurements.ts';
import { withFolder } from './harness/work-files.ts';

/** Calls a round: njs frees no memory before it exits. */
const CALLS = 5000;
const ROUNDS = 5;
const KEY = { id: 'k1', hex: '00112233445566778899aabbccddeeff' };
const SRC = 'https://clients.example.com/uploads/2026/11/IMG_20261125_0001.jpg?token=abc';

export function edgeCommand(): Command {
  return new Command('edge')
    .description('run the built edge function under njs, against a function that does nothing')
    .action(measureEdge);
}

/** The size of the edge function and the time of a signed request. */
async function measureEdge(): Promise<void> {
  const code = buildEdgeFunction({ widths: [160, 320, 480, 720, 1080, 1600, 2048], defaultWidth: 1080 });
  const target = await buildImageUrl({ baseUrl: '', unit: 'unit-1', src: SRC, width: 720 }, KEY);
  const loop = callLoop(target);
  await withFolder(tmpdir(), async (folder) => {
    const keys = `export default { kvs: () => ({ get: async () => '${KEY.id}:${KEY.hex}' }) };`;
    writeFileSync(join(folder, 'cloudfront'), keys);
    const microseconds = (handler: string) => {
      writeFileSync(join(folder, 'main.js'), `${handler}\n${loop}`);
      const rounds = Array.from({ length: ROUNDS }, () =>
        Number(execFileSync('njs', ['-p', folder, 'main.js'], { cwd: folder, encoding: 'utf8' })),
      );
      return median(rounds).toFixed(1);
    };
    const edge = microseconds(code);
    const nothing = microseconds('async function handler(event){return event.request}');
    print(
      `the edge function: ${Buffer.byteLength(code)} bytes; a signed request: ${edge} µs under njs` +
        ` (a function that does nothing: ${nothing} µs)`,
    );
  });
}

/** Calls `handler` with a request and prints the microseconds a call. */
function callLoop(target: string): string {
  const [path = '', query = ''] = target.split('?');
  return `
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
}
