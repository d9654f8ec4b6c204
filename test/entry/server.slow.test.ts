import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { startOrigin, targetFor, temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { runProgram } from '../support/program.ts';
import { SERVER, SIGNING_KEYS, startDemo, startServer } from '../support/server-process.ts';

describe('The server', () => {
  it('does not start with a wrong environment, and names every fault', async () => {
    const program = runProgram(SERVER, [], {
      PORT: '99999',
      HOST: '0.0.0.0',
      STORE: 'ftp://x',
      WIDTHS: '100,abc',
      SOURCE_ALLOW: 'https//x',
      CONCURRENCY: 'many',
    });
    expect(await program.ended).toBe(1);
    for (const name of ['PORT', 'HOST', 'STORE', 'WIDTHS', 'SOURCE_ALLOW', 'CONCURRENCY']) {
      expect(program.output.stderr).toMatch(new RegExp(`^ +${name}: `, 'm'));
    }
    expect(program.output.stdout).toBe('');
  });

  it.each<[string, () => Promise<Record<string, string>>, RegExp]>([
    ['a file in the place of its folder', async () => ({ STORE: `file:${await emptyFile()}` }), /STORE: /],
    ['a folder that cannot be created', async () => ({ STORE: 'file:/proc/nowhere' }), /STORE: /],
    ['a port in use', async () => ({ PORT: new URL((await startServer()).url).port }), /PORT: .*EADDRINUSE/],
    ['an address of another machine', async () => ({ HOST: '192.0.2.1' }), /HOST: /],
    ['a bucket and no region', async () => ({ STORE: 's3://bucket' }), /STORE: .*AWS_REGION/],
    [
      'an SQS queue and no region',
      async () => ({ QUEUE: 'https://sqs.test/1/units' }),
      /QUEUE: .*AWS_REGION/,
    ],
    [
      'a misspelt variable',
      async () => ({ SOURCE_ALOW: 'https://example.com/*' }),
      /SOURCE_ALOW: .*SOURCE_ALLOW is/,
    ],
  ])('does not start with %s, and names the variable', async (_name, environment, fault) => {
    const program = runProgram(SERVER, [], {
      PORT: '0',
      STORE: `file:${await temporaryFolder()}`,
      SIGNING_KEYS,
      ...(await environment()),
    });
    expect(await program.ended).toBe(1);
    expect(program.output.stderr).toMatch(fault);
  });

  it.each([
    ['a NUL in the path', 'GET /u/a\0 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a path of 40,000 bytes', `GET /u/${'a'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['no request line', 'hello\r\n\r\n'],
    ['an invalid Host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
  ])('answers a request with %s with a problem document', async (_name, text) => {
    const { url } = await startServer();
    expect(await sendRaw(url, text)).toMatch(/^HTTP\/1.1 400 [\s\S]*problem\+json[\s\S]*"bad_request"/);
  });

  it('answers HTTP/1.0', async () => {
    const { url } = await startServer();
    expect(await sendRaw(url, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('prints URLs of compressed photographs when it is started without configuration', async () => {
    const { program, url, folder } = await startDemo();
    const lines = program.output.stdout.matchAll(/^ +(avif|webp|jpeg) \w+ +([\d.]+) kB +(http\S+)$/gm);
    const shown = [...lines].map(([, format, kilobytes, variantUrl]) => ({
      format,
      kilobytes,
      variantUrl: String(variantUrl),
    }));
    expect(shown).toHaveLength(15);
    for (const { format, kilobytes, variantUrl } of shown) {
      const response = await fetch(variantUrl);
      const body = await response.arrayBuffer();
      expect(response.headers.get('content-type')).toBe(`image/${format}`);
      expect(response.headers.get('cache-status')).toBe('edgepress; hit');
      expect((body.byteLength / 1000).toFixed(1)).toBe(kilobytes);
      const head = await fetch(variantUrl, { method: 'HEAD' });
      expect(head.headers.get('content-length')).toBe(String(body.byteLength));
      expect((await sharp(body).metadata()).width).toBeLessThanOrEqual(720);
    }
    const [, unrequested = ''] = /'(http[^']+)'/.exec(program.output.stdout) ?? [];
    for (const status of ['edgepress; fwd=miss; stored', 'edgepress; hit']) {
      expect((await fetch(unrequested)).headers.get('cache-status')).toBe(status);
    }
    expect((await fetch(url)).headers.get('content-type')).toMatch('text/html');
    expect(await readdir(folder)).toEqual(['demo-data']);
  });

  it('is no demo once anything is configured: it has no photographs, and the playground no samples', async () => {
    const { program, url, folder } = await startServer({ CONCURRENCY: '1' });
    expect(program.output.stdout).not.toContain('photographs');
    expect(await (await fetch(url)).text()).not.toContain('aria-label="Samples"');
    expect(await readdir(folder)).not.toContain('demo-data');
  });

  it.each([
    [
      'unsigned URLs and any source',
      {},
      /URLs need no signature, since SIGNING_KEYS .*; any public address .* SOURCE_ALLOW/,
    ],
    [
      'unsigned URLs',
      { SOURCE_ALLOW: 'https://example.com/*' },
      /"open: URLs need no signature, since SIGNING_KEYS is not set"/,
    ],
    [
      'any source',
      { SIGNING_KEYS },
      /"open: any public address may be a source, since SOURCE_ALLOW is not set"/,
    ],
    ['any source, with workers', { SIGNING_KEYS, WORKERS: '2' }, /"open: any public address may be a source/],
  ])('says in one line at its start that it is open to %s', async (_name, env, line) => {
    const { program } = await startServer(env);
    await program.printed(line);
    expect(program.output.stdout.match(/"open: /g)).toHaveLength(1);
  });

  it('says nothing of the kind when it is open to nobody', async () => {
    const { program, url } = await startServer({ SIGNING_KEYS, SOURCE_ALLOW: 'https://example.com/*' });
    await fetch(`${url}/u/a?src=https%3A%2F%2Fexample.com%2Fa.jpg`);
    await program.printed(/"request"/);
    expect(program.output.stdout).not.toContain('"open: ');
  });

  it('refuses sources on its own machine, even in the demo', async () => {
    const origin = await startOrigin((_request, response) => response.end('secret'));
    const { url } = await startDemo();
    const response = await fetch(url + targetFor(`${origin.url}/a.jpg`));
    expect([response.status, await response.json()]).toMatchObject([403, { code: 'source_forbidden' }]);
    expect(origin.requests).toEqual([]);
  });

  it('serves after a restart what it stored before', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const env = { SOURCE_ALLOW_PRIVATE: origin.authority };
    const first = await startServer(env);
    expect((await fetch(first.url + target)).headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
    first.program.process.kill('SIGKILL');
    const second = await startServer({ ...env, STORE: `file:${first.folder}` });
    expect((await fetch(second.url + target)).headers.get('cache-status')).toBe('edgepress; hit');
  });

  it('logs a line of JSON for each request', async () => {
    const { program, url } = await startServer({ SOURCE_ALLOW: 'https://*.example.com/*' });
    await fetch(`${url}/u/a?src=https%3A%2F%2Fexample.org%2Fa.jpg`);
    await program.printed(/"source_forbidden"/);
    const lines = program.output.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({
      unit: 'a',
      sourceHost: 'example.org',
      outcome: 'error',
      status: 403,
    });
  });
});

async function emptyFile(): Promise<string> {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');
  return file;
}

/** Sends exactly this text, and returns the whole response as text. */
async function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(text, 'latin1');
  let response = '';
  for await (const chunk of socket) response += chunk;
  return response;
}
