import type { LookupAddress } from 'node:dns';
import type { RequestListener } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EdgepressError } from '../../src/protocol/error.ts';
import { isPublicAddress } from '../../src/source/address-guard.ts';
import type { ResolveAll } from '../../src/source/guarded-agent.ts';
import { createHttpSource } from '../../src/source/http-source.ts';
import { namesAt, openSource, serve, serveTcp } from '../support/source/loopback.ts';

const answerOk: RequestListener = (_request, response) => response.end('bytes');
const forbidden = { name: 'EdgepressError', code: 'source_forbidden', retryable: false };

// All addresses in this file are on loopback, so that even a broken guard reaches nothing else.
describe('an HTTP source with the real guard', () => {
  const LOOPBACK_LITERALS = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '１２７.０.０.１',
    '127。0。0。1',
    '①②⑦.0.0.1',
    '0',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
  ];

  it.each(LOOPBACK_LITERALS)('refuses loopback written as %s without connecting', async (host) => {
    const server = await serve(answerOk);
    const source = openSource({ acceptsAddress: isPublicAddress });
    await expect(source.fetch(`http://${host}:${server.port}/a.jpg`)).rejects.toMatchObject(forbidden);
    expect(server.connections).toHaveLength(0);
  });

  it('refuses loopback over https without connecting', async () => {
    const server = await serve(answerOk);
    const source = openSource({ acceptsAddress: isPublicAddress });
    await expect(source.fetch(`https://127.0.0.1:${server.port}/`)).rejects.toMatchObject(forbidden);
    expect(server.connections).toHaveLength(0);
  });

  it('refuses a host that resolves to loopback, without the address in the message', async () => {
    const server = await serve(answerOk);
    const source = openSource({ acceptsAddress: isPublicAddress });
    const refused = source.fetch(`http://images.test:${server.port}/a.jpg?token=secret`);
    await expect(refused).rejects.toMatchObject(forbidden);
    const { message } = (await refused.catch((error) => error)) as EdgepressError;
    expect(message).toBe('images.test resolves to an address that is not public');
    expect(server.connections).toHaveLength(0);
  });

  it('uses the guard by default', async () => {
    const server = await serve(answerOk);
    const resolve = namesAt({ 'images.test': ['127.0.0.1'] });
    const source = createHttpSource({
      allow: [],
      maxBytes: 10,
      timeoutMs: 2_000,
      userAgent: 'test',
      resolve,
    });
    onTestFinished(() => source.close());
    await expect(source.fetch(`http://127.0.0.1:${server.port}/`)).rejects.toMatchObject(forbidden);
    await expect(source.fetch(`http://images.test:${server.port}/`)).rejects.toMatchObject(forbidden);
    expect(server.connections).toHaveLength(0);
  });
});

describe('an HTTP source that accepts only 127.0.0.1 as public', () => {
  it('refuses a host if any one of its addresses is refused', async () => {
    const server = await serve(answerOk);
    for (const addresses of [
      ['127.0.0.1', '127.0.0.2'],
      ['127.0.0.2', '127.0.0.1'],
      ['127.0.0.1', '::1'],
    ]) {
      const source = openSource({ resolve: namesAt({ 'images.test': addresses }) });
      await expect(source.fetch(`http://images.test:${server.port}/`)).rejects.toMatchObject(forbidden);
    }
    expect(server.connections).toHaveLength(0);
  });

  it('connects to the address that it checked, even if DNS then returns another (DNS rebinding)', async () => {
    const inside = await serveTcp((socket) => socket.end(), '127.0.0.2');
    const outside = await serveTcp(
      (socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\noutside')),
      '127.0.0.1',
      inside.port,
    );
    const answers: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }];
    let queries = 0;
    const resolve: ResolveAll = (_hostname, _options, callback) => {
      const answer = answers[queries++] ?? { address: '127.0.0.2', family: 4 };
      setImmediate(callback, null, [answer]);
    };
    const source = openSource({ resolve });
    const url = `http://rebinding.test:${outside.port}/`;

    expect(Buffer.from(await source.fetch(url)).toString()).toBe('outside');
    expect(queries).toBe(1);
    await expect(source.fetch(url)).rejects.toMatchObject(forbidden);
    expect(queries).toBe(2);
    expect(outside.connections).toHaveLength(1);
    expect(inside.connections).toHaveLength(0);
  });

  it.each([
    'http://127.0.0.2:PORT/',
    'http://127.2:PORT/',
    'http://2130706434:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.2]:PORT/',
    '//127.0.0.2:PORT/',
    'http://inside.test:PORT/',
  ])('refuses a redirect to %s without connecting', async (location) => {
    const inside = await serve(answerOk);
    const outside = await serve((_request, response) => {
      response.writeHead(302, { location: location.replace('PORT', String(inside.port)) }).end();
    });
    const resolve = namesAt({ 'images.test': ['127.0.0.1'], 'inside.test': ['127.0.0.2'] });
    const source = openSource({ resolve });
    await expect(source.fetch(`http://images.test:${outside.port}/`)).rejects.toMatchObject(forbidden);
    expect(outside.connections).toHaveLength(1);
    expect(inside.connections).toHaveLength(0);
  });

  it.each([
    'file:///etc/passwd',
    's3://bucket/key',
    'ftp://images.test/a.jpg',
    'gopher://images.test/',
    'data:image/png;base64,AAAA',
    'javascript:alert(1)',
  ])('refuses a redirect to %s', async (location) => {
    const server = await serve((_request, response) => response.writeHead(301, { location }).end());
    const source = openSource();
    await expect(source.fetch(`http://images.test:${server.port}/`)).rejects.toMatchObject(forbidden);
  });

  it('refuses a redirect with credentials, without them in the message', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(301, { location: `http://user:secret@images.test:${server.port}/b` }).end();
    });
    const refused = openSource().fetch(`http://images.test:${server.port}/`);
    await expect(refused).rejects.toMatchObject(forbidden);
    await expect(refused).rejects.not.toThrow('secret');
  });

  it('refuses a redirect outside the allowlist before resolving its host', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(302, { location: `http://elsewhere.test:${server.port}/img/b.jpg` }).end();
    });
    const resolved: string[] = [];
    const resolve: ResolveAll = (hostname, options, callback) => {
      resolved.push(hostname);
      namesAt({ 'images.test': ['127.0.0.1'] })(hostname, options, callback);
    };
    const source = openSource({ allow: [`http://images.test:${server.port}/img/*`], resolve });
    await expect(source.fetch(`http://images.test:${server.port}/img/a.jpg`)).rejects.toMatchObject(
      forbidden,
    );
    await expect(source.fetch(`http://images.test:${server.port}/a.jpg`)).rejects.toMatchObject(forbidden);
    await expect(source.fetch(`http://elsewhere.test:${server.port}/img/`)).rejects.toMatchObject(forbidden);
    expect(resolved).toEqual(['images.test']);
  });

  it.each([
    ['ftp://images.test/a.jpg'],
    ['s3://bucket/key'],
    ['http://user@images.test/'],
    ['http://:secret@images.test/'],
    ['http://['],
    ['http://images..test/'],
    ['http://./'],
    [`http://${'a.'.repeat(200)}test/`],
    ['//images.test/a.jpg'],
    ['a.jpg'],
    [''],
  ])('rejects %j with a bad_request that names src', async (src) => {
    const expected = { name: 'EdgepressError', code: 'bad_request', parameter: 'src' };
    await expect(openSource().fetch(src)).rejects.toMatchObject(expected);
  });
});

describe('an HTTP source with an allowed private host', () => {
  const resolve = namesAt({ minio: ['127.0.0.2'], 'images.test': ['127.0.0.1'] });
  const open = (port: number, allow: string[] = []) =>
    openSource({ resolve, allow, allowPrivate: [`minio:${port}`, `127.0.0.2:${port}`, `[::1]:${port}`] });
  const server = () =>
    serveTcp((socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\ninside')), '127.0.0.2');

  it.each(['minio', 'MINIO.', '127.0.0.2', '127.2'])('fetches from the host written as %s', async (host) => {
    const { port } = await server();
    const bytes = await open(port).fetch(`http://${host}:${port}/a.jpg`);
    expect(Buffer.from(bytes).toString()).toBe('inside');
  });

  it('refuses other ports of the host', async () => {
    const inside = await server();
    const source = open(inside.port + 1);
    await expect(source.fetch(`http://minio:${inside.port}/`)).rejects.toMatchObject(forbidden);
    await expect(source.fetch(`http://127.0.0.2:${inside.port}/`)).rejects.toMatchObject(forbidden);
    expect(inside.connections).toHaveLength(0);
  });

  it('does not reuse a connection to the host for another name of its address', async () => {
    const inside = await server();
    const source = openSource({
      resolve: namesAt({ minio: ['127.0.0.2'], 'images.test': ['127.0.0.2'] }),
      allowPrivate: [`minio:${inside.port}`],
    });
    await source.fetch(`http://minio:${inside.port}/`);
    await expect(source.fetch(`http://images.test:${inside.port}/`)).rejects.toMatchObject(forbidden);
    expect(inside.connections).toHaveLength(1);
  });

  it('refuses the host if it is not in the allowlist', async () => {
    const inside = await server();
    const source = open(inside.port, ['http://images.test/*']);
    await expect(source.fetch(`http://minio:${inside.port}/`)).rejects.toMatchObject(forbidden);
    expect(inside.connections).toHaveLength(0);
  });
});
