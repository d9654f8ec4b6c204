import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { createSecretHeadersReader } from '../../src/source/secret-headers.ts';
import { parseSourceHeaderRules, parseSourceHeaders } from '../../src/source/source-headers.ts';
import { startAws } from '../support/aws/aws.ts';
import { SECRET_ARN, secretsManager } from '../support/aws/secrets-manager.ts';
import { failure, openSource, serve } from '../support/source/loopback.ts';

/** Starts a server that keeps the headers of its requests and redirects as its path says: `/to?{URL}`. */
async function keepingServer() {
  const seen: IncomingHttpHeaders[] = [];
  const { port } = await serve((request, response) => {
    seen.push(request.headers);
    const target = request.url?.startsWith('/to?') ? decodeURIComponent(request.url.slice(4)) : undefined;
    if (target === undefined) response.end('bytes');
    else response.writeHead(302, { location: target }).end();
  });
  return { seen, port };
}

const rulesFor = (pattern: string, headers: object) =>
  parseSourceHeaderRules(JSON.stringify({ [pattern]: headers }));

describe('the headers of private sources', () => {
  it('are sent to the URLs that their pattern matches, and to no others', async () => {
    const { seen, port } = await keepingServer();
    const rules = rulesFor(`http://images.test:${port}/private/*`, {
      Authorization: 'Bearer secret',
      'X-Api-Key': 'k',
    });
    const source = openSource({ sourceHeaders: async () => rules });
    await source.fetch(`http://images.test:${port}/private/a.jpg`);
    await source.fetch(`http://images.test:${port}/public/a.jpg`);
    await source.fetch(`http://other.test:${port}/private/a.jpg`);
    expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer secret', undefined, undefined]);
    expect(seen[0]?.['x-api-key']).toBe('k');
  });

  it('stay with redirects on the host, and are dropped when one leaves it, even for a host that the pattern matches', async () => {
    const { seen, port } = await keepingServer();
    const rules = [
      ...rulesFor(`http://images.test:${port}/*`, { Authorization: 'Bearer secret' }),
      ...rulesFor(`http://other.test:${port}/*`, { Authorization: 'Bearer other' }),
    ];
    const source = openSource({ sourceHeaders: async () => rules });
    await source.fetch(`http://images.test:${port}/to?${encodeURIComponent('/b.jpg')}`);
    await source.fetch(
      `http://images.test:${port}/to?${encodeURIComponent(`http://other.test:${port}/b.jpg`)}`,
    );
    expect(seen.map(({ authorization }) => authorization)).toEqual([
      ...['Bearer secret', 'Bearer secret', 'Bearer secret'],
      undefined,
    ]);
  });

  it('may replace what edgepress sends by itself, such as its User-Agent', async () => {
    const { seen, port } = await keepingServer();
    const rules = rulesFor(`http://images.test:${port}/*`, { 'User-Agent': 'Mozilla/5.0' });
    await openSource({ sourceHeaders: async () => rules }).fetch(`http://images.test:${port}/a.jpg`);
    expect(seen[0]?.['user-agent']).toBe('Mozilla/5.0');
  });

  it('are in no error', async () => {
    const { port } = await serve((_request, response) => response.writeHead(401).end());
    const rules = rulesFor(`http://images.test:${port}/*`, { Authorization: 'Bearer secret' });
    const error = await failure(
      openSource({ sourceHeaders: async () => rules }).fetch(`http://images.test:${port}/a.jpg`),
    );
    expect(error.code).toBe('source_unavailable');
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('secret');
  });

  it.each([
    ['no JSON', 'Bearer secret'],
    ['a list', '["secret"]'],
    ['a text in place of headers', '{"https://x.test/*": "secret"}'],
    ['no header', '{"https://x.test/*": {}}'],
    ['a pattern for any host', '{"https://*/*": {"A": "secret"}}'],
    ['a pattern for S3', '{"s3://bucket/*": {"A": "secret"}}'],
    ['no pattern', '{"x.test": {"A": "secret"}}'],
    ['a name that is none', '{"https://x.test/*": {"A B": "secret"}}'],
    ['a line break', '{"https://x.test/*": {"A": "secret\\nB: c"}}'],
    ['a number', '{"https://x.test/*": {"A": 1}}'],
    ['a header that edgepress sets itself', '{"https://x.test/*": {"Host": "secret"}}'],
  ])('are refused without their values: %s', (_what, text) => {
    expect(() => parseSourceHeaders(text)).toThrow(/^(?!.*secret)/s);
  });
});

describe('the headers of private sources in a secret', () => {
  const JSON_RULES = '{"https://x.test/*": {"A": "b"}}';

  async function setUp(text?: string) {
    const secret = secretsManager(text);
    const aws = await startAws(secret);
    for (const [name, value] of Object.entries(aws.env)) {
      if (name.startsWith('AWS_')) vi.stubEnv(name, value);
    }
    return { secret, aws };
  }

  it('are read once in five minutes', async () => {
    const { secret, aws } = await setUp(JSON_RULES);
    let nowMs = 0;
    const read = createSecretHeadersReader(SECRET_ARN, () => nowMs);
    expect((await read())[0]?.headers).toEqual({ a: 'b' });
    secret.overwrite(JSON_RULES.replace('"b"', '"c"'));
    nowMs = 299_000;
    expect((await read())[0]?.headers).toEqual({ a: 'b' });
    nowMs = 301_000;
    expect((await read())[0]?.headers).toEqual({ a: 'c' });
    expect(aws.operations).toHaveLength(2);
  });

  it('are overloaded, not a fault of the source, while the secret cannot be read, and tried again', async () => {
    const { secret } = await setUp('not JSON, but secret');
    const read = createSecretHeadersReader(SECRET_ARN);
    const error = await failure(read());
    expect(error).toMatchObject({ code: 'overloaded', retryable: true });
    expect(error.message).not.toContain('not JSON');
    secret.overwrite(JSON_RULES);
    expect(await read()).toHaveLength(1);
  });
});
