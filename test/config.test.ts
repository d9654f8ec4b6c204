import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

function faults(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('has the defaults of the contract, also where variables are empty', () => {
    const defaults = {
      port: 3000,
      host: '127.0.0.1',
      store: { kind: 'file', root: './data' },
      queue: { kind: 'local' },
      cdn: { kind: 'none' },
      adminToken: undefined,
      prewarm: { widths: [1080], formats: ['avif', 'webp'], tiers: ['balanced'] },
      signingKeys: [],
      sourceAllow: [],
      sourceAllowPrivate: [],
      sourceMaxBytes: 33_554_432,
      sourceTimeoutMs: 10_000,
      maxPixels: 100_000_000,
      ladder: { widths: [160, 320, 480, 720, 1080, 1600, 2048], defaultWidth: 1080 },
      queueLimit: 256,
      cacheControl: 'public, max-age=604800, s-maxage=31536000',
    };
    expect(readConfig({})).toMatchObject(defaults);
    expect(readConfig({ PORT: '', STORE: '', SIGNING_KEYS: '', SOURCE_ALLOW: '', WIDTHS: '' })).toMatchObject(
      defaults,
    );
    expect(readConfig({}).concurrency).toBeGreaterThanOrEqual(1);
  });

  it('reads what is set', () => {
    const config = readConfig({
      STORE: 's3://my-bucket',
      SIGNING_KEYS: `new:${'AB'.repeat(16)}, old:${'00'.repeat(32)}`,
      SOURCE_ALLOW: 'https://*.example.com/*,s3://originals/*',
      SOURCE_ALLOW_PRIVATE: 'localhost:9000',
      WIDTHS: '640, 320,640',
      PUBLIC_URL: 'https://images.example.com/',
      HOST: '0.0.0.0',
    });
    expect(config).toMatchObject({
      store: { kind: 's3', bucket: 'my-bucket' },
      signingKeys: [
        { id: 'new', hex: 'ab'.repeat(16) },
        { id: 'old', hex: '00'.repeat(32) },
      ],
      sourceAllowPrivate: ['localhost:9000'],
      ladder: { widths: [320, 640] },
      publicUrl: 'https://images.example.com',
    });
    expect(config.sourceAllow).toHaveLength(2);
    const operators = readConfig({
      QUEUE: 'https://sqs.eu-west-1.amazonaws.com/123456789012/units',
      CDN: 'cloudfront:E2EXAMPLE',
      ADMIN_TOKEN: 'a.b-c~d/e+f=',
      PREWARM_FORMATS: 'webp, jpeg,webp',
      PREWARM_TIERS: 'saver,high',
      PREWARM_EFFORT: 'fast',
    });
    expect(operators).toMatchObject({
      queue: { kind: 'sqs', url: 'https://sqs.eu-west-1.amazonaws.com/123456789012/units' },
      cdn: { kind: 'cloudfront', distribution: 'E2EXAMPLE' },
      adminToken: 'a.b-c~d/e+f=',
      prewarm: { formats: ['webp', 'jpeg'], tiers: ['saver', 'high'] },
      prewarmEffort: 'fast',
    });
    expect(readConfig({ CACHE_CONTROL: ' max-age=5 ' }).cacheControl).toBe('max-age=5');
    expect(readConfig({ STORE: 'file:///var/images' }).store).toEqual({ kind: 'file', root: '/var/images' });
  });

  it('takes the widths of prewarm up to the ladder that requests climb', () => {
    const { prewarm } = readConfig({ WIDTHS: '320,640', PREWARM_WIDTHS: '9999,1,300,330' });
    expect(prewarm.widths).toEqual([320, 640]);
  });

  it('reports each fault by the name of its variable', () => {
    const wrong: Record<string, string[]> = {
      PORT: ['-1', '65536', 'http', '1.5'],
      HOST: ['0.0.0.0', '::', '192.168.0.1', 'example.com', '127.0.0.1.example.com', '127.999.0.1'],
      PUBLIC_URL: ['images.example.com', 'ftp://x', 'https://x/path', 'https://x/?a'],
      STORE: ['data', 'file:', 'file://data', 's3://', 's3://B', 's3://bucket/folder'],
      S3_ENDPOINT: ['localhost:9000', 'ftp://x'],
      QUEUE: ['sqs', 'https://sqs.test', 'ftp://x/queue', 'Local'],
      SQS_ENDPOINT: ['localhost:9324'],
      CDN: ['cloudfront', 'cloudfront:', 'cloudfront:e/1', 'None'],
      CLOUDFRONT_ENDPOINT: ['localhost'],
      ADMIN_TOKEN: [' ', 'two words', 'ümlaut', 'line\nbreak'],
      PREWARM_WIDTHS: ['0', 'wide', '100,,200'],
      PREWARM_FORMATS: ['png', 'avif,', 'auto', ' '],
      PREWARM_TIERS: ['best', ',saver'],
      PREWARM_EFFORT: ['slow', 'Best', 'fast,best'],
      SIGNING_KEYS: [
        ' ',
        ',',
        `k:${'0'.repeat(32)},`,
        'k',
        'k:',
        'k:zz',
        `k:${'0'.repeat(31)}`,
        `k:${'0'.repeat(30)}`,
        `k.1:${'0'.repeat(32)}`,
        `k:${'0'.repeat(32)},k:${'1'.repeat(32)}`,
      ],
      SOURCE_ALLOW: [' ', ',', 'example.com', 'ftp://example.com/*', 'https://user@example.com/*'],
      SOURCE_ALLOW_PRIVATE: [',', 'localhost', '127.0.0.1:99999', 'http://localhost:1'],
      SOURCE_MAX_BYTES: ['0', '32MB'],
      SOURCE_TIMEOUT_MS: ['0', '10s'],
      MAX_PIXELS: ['0'],
      WIDTHS: ['0', '100,,200', '100;200', '99999', 'wide'],
      DEFAULT_WIDTH: ['0', 'wide'],
      CONCURRENCY: ['0'],
      QUEUE_LIMIT: ['-1'],
      CACHE_CONTROL: ['no\ncache', 'é'],
      LOG_LEVEL: ['loud'],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const found = faults({ [name]: value });
        expect(found, `${name}=${value}`).toHaveLength(1);
        expect(found[0]).toMatch(new RegExp(`^${name}: `));
      }
    }
    expect(
      faults(Object.fromEntries(Object.entries(wrong).map(([name, [value = '']]) => [name, value]))),
    ).toHaveLength(
      // With some SIGNING_KEYS, even wrong ones, the host may be any.
      Object.keys(wrong).length - 1,
    );
  });

  it('never repeats a secret', () => {
    expect(faults({ SIGNING_KEYS: 'id:5ecre7' }).join()).not.toContain('5ecre7');
    expect(faults({ SIGNING_KEYS: 'justasecret' }).join()).not.toContain('justasecret');
    expect(faults({ ADMIN_TOKEN: 'just a secret' }).join()).not.toContain('secret');
  });

  it('serves unsigned URLs on loopback alone', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
      expect(faults({ HOST: host })).toEqual([]);
    expect(faults({ HOST: '0.0.0.0', SIGNING_KEYS: `k:${'00'.repeat(16)}` })).toEqual([]);
    for (const SIGNING_KEYS of ['', ' ', ',', '\n'])
      expect(faults({ HOST: '0.0.0.0', SIGNING_KEYS })).toHaveLength(1);
  });

  it('cannot be changed once it is read', () => {
    const config = readConfig({});
    expect(() => Object.assign(config, { port: 1 })).toThrow();
    expect(() => Object.assign(config.ladder, { defaultWidth: 1 })).toThrow();
  });
});
