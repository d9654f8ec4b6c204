import { once } from 'node:events';
import { connect } from 'node:net';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { photograph } from '../encode/pictures.ts';
import { startOrigin, targetFor, temporaryFolder } from '../http/service.ts';
import { runProgram } from '../setup/program.ts';

const SERVER = 'src/entry/server.ts';

async function startServer(env: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const program = runProgram(SERVER, [], { PORT: '0', STORE: `file:${folder}`, ...env });
  const [, url = ''] = await program.printed(/"url":"([^"]+)".*"listening"/);
  return { program, url, folder };
}

describe('the server', () => {
  it('names every fault of its environment at once, and does not start', async () => {
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

  it('says so when its port is taken', async () => {
    const { url } = await startServer();
    const second = runProgram(SERVER, [], { PORT: new URL(url).port, SIGNING_KEYS: `k:${'00'.repeat(16)}` });
    expect(await second.ended).toBe(1);
    expect(second.output.stderr).toContain('EADDRINUSE');
  });

  it('without any configuration shows what it does to real photographs', async () => {
    const { program, url } = await startServer();
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
    const [, unmade = ''] = /'(http[^']+)'/.exec(program.output.stdout) ?? [];
    for (const status of ['edgepress; fwd=miss; stored', 'edgepress; hit']) {
      expect((await fetch(unmade)).headers.get('cache-status')).toBe(status);
    }
    expect((await fetch(url)).headers.get('content-type')).toMatch('text/html');
  });

  it('lets nothing of this machine through as a source, but its own photographs in the demonstration', async () => {
    const origin = await startOrigin((_request, response) => response.end('secret'));
    const { url } = await startServer();
    const response = await fetch(url + (await targetFor(`${origin.url}/a.jpg`)));
    expect([response.status, await response.json()]).toMatchObject([403, { code: 'source_forbidden' }]);
    expect(origin.requests).toEqual([]);
  });

  it('finds after a restart what it stored before', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const target = await targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const env = { SOURCE_ALLOW_PRIVATE: origin.authority };
    const first = await startServer(env);
    expect((await fetch(first.url + target)).headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
    first.program.process.kill('SIGKILL');
    const second = await startServer({ ...env, STORE: `file:${first.folder}` });
    expect((await fetch(second.url + target)).headers.get('cache-status')).toBe('edgepress; hit');
  });

  it('told to end, finishes what is under way, refuses what comes, and ends well', async () => {
    const photo = await photograph();
    let letGo = () => {};
    const asked = new Promise<void>((arrived) => {
      letGo = arrived;
    });
    const origin = await startOrigin((_request, response) => {
      letGo();
      letGo = () => response.end(photo);
    });
    const { program, url } = await startServer({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const target = await targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const { hostname, port } = new URL(url);
    // One request whole, and the start of another: once the first is answered, the second has begun to arrive.
    const late = connect(Number(port), hostname);
    late.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /u/late?src=');
    await once(late, 'data');

    const underWay = fetch(url + target);
    await asked;
    program.process.kill('SIGTERM');
    await program.printed(/finishing what is under way/);
    late.write('https%3A%2F%2Fx.test HTTP/1.1\r\nHost: a\r\n\r\n');
    const [refusal] = await once(late, 'data');
    expect(String(refusal)).toMatch(/^HTTP\/1.1 503 [\s\S]*"overloaded"/);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    letGo();
    expect((await underWay).status).toBe(200);
    expect(await program.ended).toBe(0);
  });

  it('told so again, ends at once', async () => {
    let arrive = () => {};
    const asked = new Promise<void>((arrived) => {
      arrive = arrived;
    });
    const origin = await startOrigin(() => arrive());
    const { program, url } = await startServer({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const underWay = fetch(url + (await targetFor(`${origin.url}/a.jpg`))).catch(() => 'cut off');
    await asked;
    program.process.kill('SIGINT');
    await program.printed(/finishing what is under way/);
    program.process.kill('SIGINT');
    expect(await program.ended).toBe(1);
    expect(await underWay).toBe('cut off');
  });

  it('logs JSON, a line a request', async () => {
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
