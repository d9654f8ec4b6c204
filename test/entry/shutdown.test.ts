import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startOrigin, targetFor, temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { SIGNING_KEYS, startServer } from '../support/server-process.ts';

describe('the server, told to end,', () => {
  it('finishes what is under way, refuses what comes, and ends well', async () => {
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
    await program.printed(/finishing the work in flight/);
    late.write('https%3A%2F%2Fx.test HTTP/1.1\r\nHost: a\r\n\r\n');
    const [refusal] = await once(late, 'data');
    expect(String(refusal)).toMatch(/^HTTP\/1.1 503 [\s\S]*"overloaded"/);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    letGo();
    expect((await underWay).status).toBe(200);
    expect(await program.ended).toBe(0);
  });

  it('does not wait for connections that nobody uses', async () => {
    const { program, url } = await startServer({ SIGNING_KEYS });
    const { hostname, port } = new URL(url);
    const unused = connect(Number(port), hostname);
    const half = connect(Number(port), hostname);
    half.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /hea');
    await Promise.all([once(half, 'data'), once(unused, 'connect')]);
    program.process.kill('SIGTERM');
    await Promise.all([once(half, 'close'), once(unused, 'close')]);
    expect(await program.ended).toBe(0);
  });

  it('ends when it is npm that is told, which started it', async () => {
    const env = { ...process.env, PORT: '0', STORE: `file:${await temporaryFolder()}`, SIGNING_KEYS };
    const npm = spawn('npm', ['start'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    for await (const chunk of npm.stdout) {
      output += chunk;
      if (output.includes('"listening"')) npm.kill('SIGTERM');
    }
    // Its output ends when the last process that holds it does.
    const { port } = new URL(/"url":"([^"]+)"/.exec(output)?.[1] ?? '');
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });

  it('ends at once when it is told so again', async () => {
    let arrive = () => {};
    const asked = new Promise<void>((arrived) => {
      arrive = arrived;
    });
    const origin = await startOrigin(() => arrive());
    const { program, url } = await startServer({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const underWay = fetch(url + (await targetFor(`${origin.url}/a.jpg`))).catch(() => 'cut off');
    await asked;
    program.process.kill('SIGINT');
    await program.printed(/finishing the work in flight/);
    // Not just once: what comes within half a second is taken for the echo that npm makes of the first.
    const again = setInterval(() => program.process.kill('SIGINT'), 100);
    expect(await program.ended).toBe(1);
    clearInterval(again);
    expect(await underWay).toBe('cut off');
  });

  it('takes a signal and its echo, as npm passes it on, for one', async () => {
    const photo = await photograph();
    let answer = () => {};
    const asked = new Promise<void>((arrived) => {
      answer = arrived;
    });
    let letGo = () => {};
    const origin = await startOrigin((_request, response) => {
      letGo = () => response.end(photo);
      answer();
    });
    const { program, url } = await startServer({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const underWay = fetch(url + (await targetFor(`${origin.url}/a.jpg`)));
    await asked;
    program.process.kill('SIGINT');
    program.process.kill('SIGTERM');
    await program.printed(/finishing the work in flight/);
    letGo();
    expect((await underWay).status).toBe(200);
    expect(await program.ended).toBe(0);
  });
});
