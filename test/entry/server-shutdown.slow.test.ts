import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startOrigin, targetFor, temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { SIGNING_KEYS, startServer } from '../support/server-process.ts';

/** A server whose source answers only when the test says so. */
async function startWithSlowOrigin() {
  const photo = await photograph();
  let respond = () => {};
  let onFetch = () => {};
  const fetched = new Promise<void>((resolve) => {
    onFetch = resolve;
  });
  const origin = await startOrigin((_request, response) => {
    respond = () => response.end(photo);
    onFetch();
  });
  const server = await startServer({ SOURCE_ALLOW_PRIVATE: origin.authority });
  return { origin, fetched, sendPhoto: () => respond(), ...server };
}

describe('The server, on a signal', () => {
  it('finishes requests in flight, refuses new ones, and exits with 0', async () => {
    const { origin, fetched, sendPhoto, program, url } = await startWithSlowOrigin();
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const { hostname, port } = new URL(url);
    // A whole request and the start of another: when the first is answered, the server has read the start of the second.
    const late = connect(Number(port), hostname);
    late.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /u/late?src=');
    await once(late, 'data');

    const inFlight = fetch(url + target);
    await fetched;
    program.process.kill('SIGTERM');
    await program.printed(/finishing the work in flight/);
    late.write('https%3A%2F%2Fx.test HTTP/1.1\r\nHost: a\r\n\r\n');
    const [refusal] = await once(late, 'data');
    expect(String(refusal)).toMatch(/^HTTP\/1.1 503 [\s\S]*"overloaded"/);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    sendPhoto();
    expect((await inFlight).status).toBe(200);
    expect(await program.ended).toBe(0);
  });

  it('closes idle connections', async () => {
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

  it('exits when npm, which started it, gets the signal', async () => {
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

  it('exits immediately on a second signal', async () => {
    let onFetch = () => {};
    const fetched = new Promise<void>((resolve) => {
      onFetch = resolve;
    });
    const origin = await startOrigin(() => onFetch());
    const { program, url } = await startServer({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const inFlight = fetch(url + targetFor(`${origin.url}/a.jpg`)).catch(() => 'cut off');
    await fetched;
    program.process.kill('SIGINT');
    await program.printed(/finishing the work in flight/);
    // Repeatedly, because a signal within half a second of the first counts as the copy that npm passes on.
    const again = setInterval(() => program.process.kill('SIGINT'), 100);
    expect(await program.ended).toBe(1);
    clearInterval(again);
    expect(await inFlight).toBe('cut off');
  });

  it('counts a signal and the copy that npm passes on as one', async () => {
    const { origin, fetched, sendPhoto, program, url } = await startWithSlowOrigin();
    const inFlight = fetch(url + targetFor(`${origin.url}/a.jpg`));
    await fetched;
    program.process.kill('SIGINT');
    program.process.kill('SIGTERM');
    await program.printed(/finishing the work in flight/);
    sendPhoto();
    expect((await inFlight).status).toBe(200);
    expect(await program.ended).toBe(0);
  });
});
