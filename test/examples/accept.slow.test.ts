import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describePage, openPage } from '../support/browser.ts';
import { setUpPhotograph, startOrigin, temporaryFolder } from '../support/http/service.ts';
import { readPage } from '../support/markdown.ts';
import { findProgram } from '../support/setup/debian.ts';
import { prepared } from '../support/setup/prepared.ts';

// What is missing is skipped by itself.
await prepared('languages');

const PROGRAMS = resolve('test/support/client/downloaders');
/** Debian's package libokhttp-java. */
const OKHTTP = ['okhttp.jar', 'okio.jar'].map((name) => `/usr/share/java/${name}`);

/** The clients that can run here, as docs/apps.md names them, and how each downloads a URL that follows. */
const CLIENTS: readonly [string, readonly string[], (readonly string[])?][] = [
  ['curl', ['curl', '-s']],
  ['Node `fetch`', ['node', '-e', 'fetch(process.argv[1]).then((r) => r.arrayBuffer())']],
  ['Python `urllib`', ['python3', '-c', 'import sys, urllib.request as u; u.urlopen(sys.argv[1]).read()']],
  ['Go `net/http`', ['go', 'run', join(PROGRAMS, 'get.go')]],
  ['PHP `file_get_contents`', ['php', '-r', 'file_get_contents($argv[1]);', '--']],
  ['Ruby `Net::HTTP`', ['ruby', '-rnet/http', '-e', 'Net::HTTP.get(URI(ARGV[0]))']],
  ['Java `HttpClient`', ['java', join(PROGRAMS, 'JavaHttpClient.java')]],
  ['Java `HttpURLConnection`', ['java', join(PROGRAMS, 'HttpUrlConnection.java')]],
  ['OkHttp', ['java', '-cp', OKHTTP.join(':'), join(PROGRAMS, 'OkHttp.java')], OKHTTP],
];

/** What a client sent and got, in the words of docs/apps.md. */
interface Row {
  accept: string;
  format: string;
}

function patternOf(text: string): unknown {
  const escaped = text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return expect.stringMatching(new RegExp(`^${escaped.replaceAll('…', '.*')}$`));
}

/** The row of a client in docs/apps.md. */
function documented(client: string): { accept: unknown; format: string } | undefined {
  const row = readPage('docs/apps.md')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .find(([, name]) => name === client);
  const [, , accept = '', format = ''] = row ?? [];
  // An ellipsis stands for what other versions send otherwise.
  return row && { accept: accept.includes('…') ? patternOf(accept) : accept, format };
}

/** A service behind a server that writes down what a client sends and gets for a URL without `f`. */
async function setUp() {
  const { service, target } = await setUpPhotograph();
  const seen: Row[] = [];
  const { url } = await startOrigin(async (request, response) => {
    const accept = request.headers.accept;
    const answer = await service.request(request.url ?? '', {
      headers: accept === undefined ? {} : { accept },
    });
    const type = answer.headers.get('content-type') ?? '';
    if (request.url === target({ width: 720 }))
      seen.push({
        accept: accept === undefined ? 'nothing' : `\`${accept}\``,
        format: type.replace('image/', ''),
      });
    response.writeHead(answer.status, { 'content-type': type, 'access-control-allow-origin': '*' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  return { seen, url: url + target({ width: 720 }) };
}

describe('A client that asks without `f`', () => {
  for (const [name, command, files = []] of CLIENTS) {
    const [program = '', ...args] = command;
    const missing = [
      ...(findProgram(program) === undefined ? [program] : []),
      ...files.filter((file) => !existsSync(file)),
    ];
    const reason = missing.length > 0 ? ` (not run: there is no ${missing.join(', ')})` : '';
    it(`gets what docs/apps.md says, by ${name}${reason}`, { skip: missing.length > 0 }, async () => {
      const { seen, url } = await setUp();
      const home = await temporaryFolder();
      const env = { PATH: process.env['PATH'], HOME: home, GOCACHE: join(home, 'cache') };
      await promisify(execFile)(program, [...args, url], { env, encoding: 'buffer' });
      expect(seen).toEqual([documented(name)]);
    });
  }
});

const KOTLIN_MISSING = [
  ...['kotlinc', 'java'].filter((program) => findProgram(program) === undefined),
  ...OKHTTP.filter((file) => !existsSync(file)),
];

describe('The sample for OkHttp', () => {
  const reason = KOTLIN_MISSING.length > 0 ? ` (not run: there is no ${KOTLIN_MISSING.join(', ')})` : '';
  const options = { timeout: 180_000, skip: KOTLIN_MISSING.length > 0 };
  it(`gets AVIF on Android 12, and WebP before${reason}`, options, async () => {
    const { seen, url } = await setUp();
    const jar = join(await temporaryFolder(), 'sample.jar');
    const files = ['examples/android/AcceptImages.kt', join(PROGRAMS, 'AcceptImagesMain.kt')];
    const run = promisify(execFile);
    await run('kotlinc', [...files, '-cp', OKHTTP.join(':'), '-include-runtime', '-d', jar]);
    for (const sdk of ['31', '30'])
      await run('java', ['-cp', [jar, ...OKHTTP].join(':'), 'AcceptImagesMainKt', sdk, url]);
    expect(seen.map(({ format }) => format)).toEqual(['avif', 'webp']);
  });
});

describePage('A page that asks without `f`', () => {
  it.each([
    ['Chromium `<img>`', 'const image = new Image(); image.src = src; await image.decode();'],
    ['Chromium `fetch`', 'await (await fetch(src)).arrayBuffer();'],
  ])('gets what docs/apps.md says, by %s', async (name, script) => {
    const { seen, url } = await setUp();
    const page = await openPage();
    await page.evaluate(`(async (src) => { ${script} })(${JSON.stringify(url)})`);
    expect(seen).toEqual([documented(name)]);
  });
});
