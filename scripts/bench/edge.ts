import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { buildEdgeFunction } from '../../infra/bundle/build-edge-function.ts';
import { imageUrl } from '../../src/client/image-url.ts';
import { print } from './harness/measurements.ts';
import { withFolder } from './harness/work-files.ts';

/** Calls a round: njs frees no memory before it exits. */
const CALLS = 2000;
const ROUNDS = 3;
const FIRST_KEY = { id: 'k20261125-5b2948', hex: '00112233445566778899aabbccddeeff'.repeat(2) };
/** Signs: the function reads both. */
const KEY = { id: 'k20261125-81f89d', hex: 'ffeeddccbbaa99887766554433221100'.repeat(2) };
/** Of a request target, in bytes; a source has 4,096 characters at most. */
const LONGEST_TARGET = 6000;
const LONGEST_SOURCE = 4096;

/** Sources of the kinds that are signed: short, presigned by S3 with a session token, and as long as is allowed. */
const SOURCES = {
  short: 'https://clients.example.com/uploads/2026/11/IMG_20261125_0001.jpg?token=abc',
  presigned: `https://clients.s3.eu-west-1.amazonaws.com/uploads/IMG_0001.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261125%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20261125T120000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Security-Token=${'IQoJb3JpZ2luX2VjE%2B'.repeat(50)}&X-Amz-Signature=${'0123456789abcdef'.repeat(4)}`,
  'of 4,096 characters': longest('a'),
  'of 4,096 characters with escapes': longest('a%'),
  'of letters beyond ASCII': longest('ü'),
} as const;

/** Returns the longest source that repeats a text and still fits into the longest target. */
function longest(text: string): string {
  const start = 'https://clients.example.com/';
  const room = LONGEST_TARGET - 200 - encodeURIComponent(start).length;
  const repeats = Math.min(
    Math.floor(room / encodeURIComponent(text).length),
    Math.floor((LONGEST_SOURCE - start.length) / text.length),
  );
  return start + text.repeat(repeats);
}

export function edgeCommand(): Command {
  return new Command('edge')
    .description('run the built edge function under njs, against a function that does nothing')
    .action(measureEdge);
}

/** The size of the edge function, and the time of requests that are signed with the second of two keys. */
async function measureEdge(): Promise<void> {
  const code = buildEdgeFunction({ widths: [160, 320, 480, 720, 1080, 1600, 2048], defaultWidth: 1080 });
  print(
    `the edge function: ${Buffer.byteLength(code)} bytes. A request signed with the second key, CPU time under njs, beside a function that does nothing:`,
  );
  await withFolder(tmpdir(), async (folder) => {
    const keys = [FIRST_KEY, KEY].map(({ id, hex }) => `${id}:${hex}`).join(',');
    writeFileSync(
      join(folder, 'cloudfront'),
      `export default { kvs: () => ({ get: async () => '${keys}' }) };`,
    );
    for (const [name, src] of Object.entries(SOURCES)) {
      const target = imageUrl({ baseUrl: '', unit: 'unit-1', src, width: 720 }, KEY);
      const forged = target.replace(/sig=(.*).$/, 'sig=$1_');
      const show = (handler: string, url: string, isServed: boolean) =>
        `${microseconds(folder, `${handler}\n${callLoop(url, isServed)}`)} µs`;
      const nothing = 'async function handler(event){return event.request}';
      print(
        `  source ${name} (${target.length} bytes of target): ${show(code, target, true)}, forged ${show(code, forged, false)}; nothing ${show(nothing, target, true)}`,
      );
    }
  });
}

/** Returns the fewest microseconds of CPU time a call of several rounds. */
function microseconds(folder: string, program: string): string {
  writeFileSync(join(folder, 'main.js'), program);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const run = { cwd: folder, encoding: 'utf8' } as const;
    // The shell prints its own times, then those of its children: 0m0.610000s.
    const times =
      execFileSync('sh', ['-c', 'njs -p . main.js && times'], run).trim().split('\n').at(-1) ?? '';
    const seconds = [...times.matchAll(/(\d+)m([\d.]+)s/g)].map(
      ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
    );
    return (seconds.reduce((sum, each) => sum + each, 0) * 1e6) / CALLS;
  });
  return Math.min(...rounds).toFixed(0);
}

/** Calls `handler` with a request, many times. */
function callLoop(target: string, isServed: boolean): string {
  const [path = '', query = ''] = target.split('?');
  return `
async function main() {
  let outcome;
  for (let i = 0; i < ${CALLS}; i++) {
    outcome = await handler({ request: {
      method: 'GET', uri: ${JSON.stringify(path)}, querystring: {}, rawQueryString: () => ${JSON.stringify(query)},
      headers: { accept: { value: 'image/avif,image/webp,*/*;q=0.8' } },
    } });
  }
  if (!outcome.uri === ${isServed}) throw new Error(JSON.stringify(outcome));
}
main();
`;
}
