import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';
import { VARIABLES } from '../src/config-variables.ts';

const SIGNING_KEYS = `k:${'00'.repeat(16)}`;

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const DEFAULTS = {
  port: 3000,
  host: '127.0.0.1',
  publicUrl: undefined,
  store: { kind: 'file', root: './data' },
  queue: { kind: 'local' },
  cdn: [],
  adminToken: undefined,
  prewarm: { widths: [1080], formats: ['avif', 'webp'], tiers: ['balanced'] },
  prewarmEffort: 'best',
  upgrade: false,
  pages: true,
  signingKeys: [],
  sourceAllow: [],
  sourceAllowPrivate: [],
  sourceMaxBytes: 33_554_432,
  sourceTimeoutMs: 10_000,
  maxPixels: 100_000_000,
  ladder: { widths: [160, 320, 480, 720, 1080, 1600, 2048], defaultWidth: 1080 },
  queueLimit: 256,
  cacheControl: 'public, max-age=604800, s-maxage=86400, stale-while-revalidate=86400',
  logLevel: 'info',
};

describe('readConfig', () => {
  it('returns the defaults of the contract for an empty environment', () => {
    const config = readConfig({});
    expect(config).toMatchObject(DEFAULTS);
    expect(config.concurrency).toBeGreaterThanOrEqual(1);
  });

  it('takes an empty variable as unset', () => {
    const empty = Object.values(VARIABLES).map(({ name }) => [name, '']);
    expect(readConfig(Object.fromEntries(empty))).toEqual(readConfig({}));
  });

  it.each([
    ['a folder as the store', { STORE: 'file:images' }, { store: { kind: 'file', root: 'images' } }],
    ['a folder as a URL', { STORE: 'file:///var/images' }, { store: { kind: 'file', root: '/var/images' } }],
    ['a bucket as the store', { STORE: 's3://my-bucket' }, { store: { kind: 's3', bucket: 'my-bucket' } }],
    [
      'signing keys, with spaces and capitals',
      { SIGNING_KEYS: `new:${'AB'.repeat(16)}, old:${'00'.repeat(32)}` },
      {
        signingKeys: [
          { id: 'new', hex: 'ab'.repeat(16) },
          { id: 'old', hex: '00'.repeat(32) },
        ],
      },
    ],
    [
      'private sources',
      { SOURCE_ALLOW_PRIVATE: 'localhost:9000' },
      { sourceAllowPrivate: ['localhost:9000'] },
    ],
    ['widths, sorted and without repeats', { WIDTHS: '640, 320,640' }, { ladder: { widths: [320, 640] } }],
    [
      'a public URL, without the slash at its end',
      { PUBLIC_URL: 'https://images.example.com/' },
      { publicUrl: 'https://images.example.com' },
    ],
    [
      'an SQS queue',
      { QUEUE: 'https://sqs.eu-west-1.amazonaws.com/123456789012/units' },
      { queue: { kind: 'sqs', url: 'https://sqs.eu-west-1.amazonaws.com/123456789012/units' } },
    ],
    [
      'a distribution',
      { CDN: 'cloudfront:E2EXAMPLE' },
      { cdn: [{ kind: 'cloudfront', distribution: 'E2EXAMPLE' }] },
    ],
    [
      'a zone of Cloudflare with its token, behind a cache that takes PURGE with another',
      {
        CDN: `http://127.0.0.1:8081/purge, cloudflare:${'0123456789abcdef'.repeat(2)}`,
        CDN_PURGE_TOKEN: 'token-1234',
        CDN_HTTP_TOKEN: 'token-5678',
      },
      {
        cdn: [
          { kind: 'http', url: new URL('http://127.0.0.1:8081/purge') },
          { kind: 'cloudflare', zone: '0123456789abcdef'.repeat(2) },
        ],
        cdnPurgeToken: 'token-1234',
        cdnHttpToken: 'token-5678',
      },
    ],
    [
      'a service of Fastly at another server',
      {
        CDN: 'fastly:SU1Z0isxPaozGVKXdv0eY',
        CDN_PURGE_TOKEN: 'token-1234',
        CDN_ENDPOINT: 'http://127.0.0.1:9',
      },
      { cdn: [{ kind: 'fastly', service: 'SU1Z0isxPaozGVKXdv0eY' }], cdnEndpoint: 'http://127.0.0.1:9' },
    ],
    [
      'a pull zone of Bunny',
      { CDN: 'bunny:12345', CDN_PURGE_TOKEN: 'token-1234' },
      { cdn: [{ kind: 'bunny', pullZone: '12345' }] },
    ],
    [
      'the URL of a cache with `http:` before it',
      { CDN: 'http:https://cache.example.com/purge' },
      { cdn: [{ kind: 'http', url: new URL('https://cache.example.com/purge') }] },
    ],
    ['a bearer token', { ADMIN_TOKEN: 'a.b-c~d/e+f=' }, { adminToken: 'a.b-c~d/e+f=' }],
    [
      'the formats of prewarm, without repeats',
      { PREWARM_FORMATS: 'webp, jpeg,webp' },
      { prewarm: { formats: ['webp', 'jpeg'] } },
    ],
    ['the tiers of prewarm', { PREWARM_TIERS: 'saver,high' }, { prewarm: { tiers: ['saver', 'high'] } }],
    ['the effort of prewarm', { PREWARM_EFFORT: 'fast' }, { prewarmEffort: 'fast' }],
    [
      'the limits of the folder',
      { STORE_MAX_BYTES: '500000000000', STORE_MAX_AGE_DAYS: '90' },
      { storeMaxBytes: 500e9, storeMaxAgeDays: 90 },
    ],
    [
      'targets of events',
      {
        NOTIFY:
          'sns:arn:aws:sns:eu-west-1:123456789012:units.fifo, eventbridge:units, file:///var/e.ndjson, -',
      },
      {
        notify: [
          { kind: 'sns', topicArn: 'arn:aws:sns:eu-west-1:123456789012:units.fifo', region: 'eu-west-1' },
          { kind: 'eventbridge', bus: 'units' },
          { kind: 'file', path: '/var/e.ndjson' },
          { kind: 'stdout' },
        ],
      },
    ],
    ['a switch', { UPGRADE: 'on' }, { upgrade: true }],
    ['no pages', { PAGES: 'off' }, { pages: false }],
    ['another interval of metrics', { OTEL_METRIC_EXPORT_INTERVAL: '5000' }, { otelMetricIntervalMs: 5000 }],
    ['a namespace of metrics', { EMF_NAMESPACE: 'my/images' }, { emfNamespace: 'my/images' }],
    ['a number of workers', { WORKERS: '4' }, { workers: 4 }],
    ['one worker for each core', { WORKERS: 'auto' }, { workers: availableParallelism() }],
    ['a header value, trimmed', { CACHE_CONTROL: ' max-age=5 ' }, { cacheControl: 'max-age=5' }],
  ])('reads %s', (_name, env, expected) => {
    expect(readConfig(env as Record<string, string>)).toMatchObject(expected);
  });

  it('reads each pattern of allowed sources', () => {
    const { sourceAllow } = readConfig({ SOURCE_ALLOW: 'https://*.example.com/*,s3://originals/*' });
    expect(sourceAllow.map(({ scheme }) => scheme)).toEqual(['https:', 's3:']);
  });

  it('rounds the widths of prewarm up to the ladder, as it does those of requests', () => {
    const { prewarm } = readConfig({ WIDTHS: '320,640', PREWARM_WIDTHS: '9999,1,300,330' });
    expect(prewarm.widths).toEqual([320, 640]);
  });

  it('returns a configuration that cannot be changed', () => {
    const config = readConfig({});
    expect(() => Object.assign(config, { port: 1 })).toThrow();
    expect(() => Object.assign(config.ladder, { defaultWidth: 1 })).toThrow();
    expect(() => Object.assign(config.prewarm, { widths: [] })).toThrow();
  });
});

const WRONG_VALUES: Readonly<Record<string, readonly string[]>> = {
  PORT: ['-1', '65536', 'http', '1.5'],
  HOST: ['0.0.0.0', '::', '192.168.0.1', 'example.com', '127.0.0.1.example.com', '127.999.0.1'],
  PUBLIC_URL: ['images.example.com', 'ftp://x', 'https://x/path', 'https://x/?a'],
  STORE: ['data', 'file:', 'file://data', 's3://', 's3://B', 's3://bucket/folder'],
  STORE_MAX_BYTES: ['0', '999999', '10GB', '1e9', '-1'],
  STORE_MAX_AGE_DAYS: ['0', '1.5', '30d', '36501'],
  S3_ENDPOINT: ['localhost:9000', 'ftp://x'],
  QUEUE: ['sqs', 'https://sqs.test', 'ftp://x/queue', 'Local'],
  SQS_ENDPOINT: ['localhost:9324'],
  NOTIFY: [
    ...[
      'ftp://example.com',
      'https://',
      'sns:units',
      'sns:arn:aws:sqs:eu-west-1:1:q',
      'eventbridge:',
      'file:',
    ],
    ...['stdout', 'https://a:b@example.com/', 'https://example.com/,'],
  ],
  NOTIFY_SECRET: ['secret', 'whsec_', `whsec_${Buffer.alloc(23).toString('base64')}`],
  NOTIFY_ALLOW_PRIVATE: ['localhost', 'http://localhost:1'],
  CDN: [
    ...[
      'cloudfront',
      'cloudfront:',
      'cloudfront:e/1',
      'None',
      'cloudflare:example.com',
      'fastly:',
      'bunny:name',
    ],
    ...[
      'http:',
      'ftp://cache/',
      'http://user:5ecre7@cache/',
      'http://cache/#x',
      'none,cloudfront:E2EXAMPLE',
      ',',
    ],
  ],
  CDN_PURGE_TOKEN: [' ', 'short', 'two words here'],
  CDN_HTTP_TOKEN: [' ', 'short'],
  CDN_ENDPOINT: ['api.cloudflare.com', 'https://api.cloudflare.com/client'],
  CLOUDFRONT_ENDPOINT: ['localhost'],
  ADMIN_TOKEN: [' ', 'two words', 'ümlaut', 'line\nbreak', 'admin', 'seven77'],
  PREWARM_WIDTHS: ['0', 'wide', '100,,200'],
  PREWARM_FORMATS: ['png', 'avif,', 'auto', ' '],
  PREWARM_TIERS: ['best', ',saver'],
  PREWARM_EFFORT: ['slow', 'Best', 'fast,best'],
  PREWARM_FETCHES_PER_HOST: ['0', '10001', 'many'],
  PREWARM_FOR: ['android', 'web,', 'web:wide', '720', 'web:99999', 'save-data:720'],
  UPGRADE: ['yes', 'On', 'true'],
  PAGES: ['no', 'false'],
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
  INGEST_FROM: ['deliveries', 's3://deliveries', 's3://deliveries/*', ','],
  SOURCE_ALLOW: [' ', ',', 'example.com', 'ftp://example.com/*', 'https://user@example.com/*'],
  SOURCE_ALLOW_PRIVATE: [',', 'localhost', '127.0.0.1:99999', 'http://localhost:1'],
  SOURCE_MAX_BYTES: ['0', '32MB'],
  SOURCE_TIMEOUT_MS: ['0', '10s'],
  SOURCE_HEADERS: ['Authorization: secret', '[]', '{"https://x.test/*": {}}', '{"https://*/*": {"A": "b"}}'],
  SOURCE_IGNORED_PARAMETERS: [
    'token',
    '[]',
    '{"https://x.test": ["a"]}',
    '{"x.test": []}',
    '{"x.test": ["a&b"]}',
  ],
  SOURCE_USER_AGENT: ['größe', 'two\nlines'],
  MAX_PIXELS: ['0'],
  WIDTHS: ['0', '100,,200', '100;200', '99999', 'wide'],
  DEFAULT_WIDTH: ['0', 'wide'],
  CONCURRENCY: ['0'],
  WORKERS: ['0', '65', '-1', '1.5', 'Auto', 'many'],
  QUEUE_LIMIT: ['-1'],
  CACHE_CONTROL: ['no\ncache', 'é'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['collector:4318', 'grpc://x'],
  OTEL_TRACES_EXPORTER: ['jaeger'],
  OTEL_METRICS_EXPORTER: ['prometheus'],
  OTEL_METRIC_EXPORT_INTERVAL: ['999', '1s'],
  ENCODER_PROCESSES: ['yes', 'On'],
  EMF_NAMESPACE: ['my images', '=', 'x'.repeat(256)],
  LOG_LEVEL: ['loud'],
  IGNORED_VARIABLES: [',', 'A,,B'],
};

describe('A fault of the environment', () => {
  it('is tested for every variable', () => {
    const names = Object.values(VARIABLES).map(({ name }) => name);
    expect(Object.keys(WRONG_VALUES).sort()).toEqual(names.sort());
  });

  it.each(
    Object.entries(WRONG_VALUES).flatMap(([name, values]) => values.map((value) => [name, value] as const)),
  )('starts with the name of its variable for %s=%j', (name, value) => {
    const faults = faultsOf({ [name]: value });
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
    // Never what a validator or the engine says by itself.
    expect(faults[0]).not.toMatch(/invalid|expected one of|undefined/i);
  });

  it('are limits of the folder that are set for a bucket', () => {
    const env = { STORE: 's3://bucket', STORE_MAX_BYTES: '1000000', STORE_MAX_AGE_DAYS: '1' };
    expect(faultsOf(env)).toEqual([
      expect.stringMatching(/^STORE_MAX_BYTES: .*lifecycle rule/),
      expect.stringMatching(/^STORE_MAX_AGE_DAYS: .*lifecycle rule/),
    ]);
    expect(faultsOf({ ...env, STORE_MAX_BYTES: '', STORE_MAX_AGE_DAYS: '' })).toEqual([]);
  });

  it('is an address of NOTIFY that is not encrypted, unless it may be private, and one without a secret', () => {
    const secret = { NOTIFY_SECRET: `whsec_${Buffer.alloc(24).toString('base64')}` };
    const plain = { NOTIFY: 'http://hooks.test:8080/units' };
    expect(faultsOf({ ...plain, ...secret })).toEqual([
      'NOTIFY: hooks.test:8080 must be https: http is for hosts that NOTIFY_ALLOW_PRIVATE names',
    ]);
    const allowed = { ...plain, NOTIFY_ALLOW_PRIVATE: 'hooks.test:8080' };
    expect(faultsOf({ ...allowed, ...secret })).toEqual([]);
    expect(faultsOf(allowed)).toEqual([expect.stringMatching(/^NOTIFY_SECRET: /)]);
    expect(faultsOf({ NOTIFY: '-,file:events.ndjson' })).toEqual([]);
  });

  it('is a CDN without its token, a token without its CDN, and one token for two CDNs', () => {
    const cloudflare = { CDN: `cloudflare:${'0'.repeat(32)}` };
    const token = { CDN_PURGE_TOKEN: 'token-1234' };
    expect(faultsOf(cloudflare)).toEqual(['CDN_PURGE_TOKEN: is needed for CDN=cloudflare:…']);
    expect(faultsOf({ ...cloudflare, ...token })).toEqual([]);
    expect(faultsOf({ CDN: 'cloudfront:E2EXAMPLE', ...token })).toEqual([
      'CDN_PURGE_TOKEN: nothing needs it: it is for cloudflare:, fastly: and bunny: in CDN',
    ]);
    expect(faultsOf({ CDN: `${cloudflare.CDN},bunny:1`, ...token })).toEqual([
      'CDN: has cloudflare and bunny, and CDN_PURGE_TOKEN is for one of them',
    ]);
    expect(faultsOf({ ...cloudflare, ...token, CDN_HTTP_TOKEN: 'token-5678' })).toEqual([
      'CDN_HTTP_TOKEN: nothing needs it: it is for URLs in CDN',
    ]);
  });

  it('is reported together with all others', () => {
    const env = Object.entries(WRONG_VALUES).map(([name, [value = '']]) => [name, value]);
    // One less: with any SIGNING_KEYS, even wrong ones, every host is allowed.
    expect(faultsOf(Object.fromEntries(env))).toHaveLength(env.length - 1);
  });

  it.each([
    ['PREWARM_EFFORT', 'slow', 'must be fast or best'],
    ['UPGRADE', 'yes', 'must be off or on'],
    ['PAGES', 'no', 'must be off or on'],
    ['LOG_LEVEL', 'loud', 'must be one of fatal, error, warn, info, debug, trace, silent'],
    ['PREWARM_FORMATS', 'png', 'must be one or more of avif, webp, jpeg, separated by commas'],
    ['PREWARM_TIERS', ',saver', 'has an empty entry: remove it, or leave the variable unset'],
    ['PORT', '65536', 'must be a whole number from 0 to 65535; it is "65536"'],
    ['PORT', 'x', 'must be a whole number from 0 to 65535; it is "x"'],
    ['WIDTHS', '99999', 'must be widths in pixels from 1 to 16383, separated by commas'],
    ['STORE', 'data', 'must be file:FOLDER, file:///FOLDER or s3://BUCKET'],
    ['QUEUE', 'sqs', 'must be local, or the URL of an SQS queue'],
    [
      'CDN',
      'None',
      'must be none, or one or more of cloudfront:DISTRIBUTION-ID, cloudflare:ZONE-ID, fastly:SERVICE-ID, bunny:PULL-ZONE-ID, or http://HOST:PORT/PATH (or https:) of a cache that takes PURGE, separated by commas',
    ],
    ['CDN', 'http://user:5ecre7@cache/', 'must not have a password in the URL of cache: set CDN_HTTP_TOKEN'],
    [
      'PUBLIC_URL',
      'https://x/path',
      'must be an absolute http: or https: URL without a path, query or fragment',
    ],
    [
      'ADMIN_TOKEN',
      ' ',
      'must be at least 8 of the characters A-Z a-z 0-9 . _ ~ + / -, with = at the end only (openssl rand -hex 16 makes one)',
    ],
    ['SIGNING_KEYS', `k:${'0'.repeat(30)}`, 'the key "k" is too short: at least 16 bytes (32 hex digits)'],
    ['SIGNING_KEYS', `${SIGNING_KEYS},${SIGNING_KEYS}`, 'has the id "k" more than once'],
    [
      'HOST',
      '0.0.0.0',
      '0.0.0.0 is not loopback, and unsigned URLs are served on loopback only: set SIGNING_KEYS',
    ],
  ])('says what %s=%j must be', (name, value, message) => {
    expect(faultsOf({ [name]: value })).toEqual([`${name}: ${message}`]);
  });

  it.each([
    ['SIGNING_KEYS', 'id:5ecre7'],
    ['SIGNING_KEYS', 'just5ecre7'],
    ['ADMIN_TOKEN', 'just a 5ecre7'],
    ['CDN_PURGE_TOKEN', 'just a 5ecre7'],
    ['CDN', 'http://user:5ecre7@cache/'],
  ])('never repeats the secret in %s=%j', (name, value) => {
    const faults = faultsOf({ [name]: value }).join();
    expect(faults).toMatch(new RegExp(`^${name}: `));
    expect(faults).not.toContain('5ecre7');
  });
});

describe('HOST', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('may be %s without signing keys', (host) => {
    expect(faultsOf({ HOST: host })).toEqual([]);
  });

  it('may be any address with signing keys', () => {
    expect(faultsOf({ HOST: '0.0.0.0', SIGNING_KEYS })).toEqual([]);
  });

  it.each(['', ' ', ',', '\n'])('must be loopback when SIGNING_KEYS is %j', (keys) => {
    expect(faultsOf({ HOST: '0.0.0.0', SIGNING_KEYS: keys })).toHaveLength(1);
  });
});

describe('docs/configuration.md and docs/api.md', () => {
  it('are up to date with the code that they are generated from', () => {
    const check = ['--import', 'tsx', 'scripts/docs.ts', '--check'];
    expect(execFileSync(process.execPath, check, { encoding: 'utf8', stdio: 'pipe' })).toBe('');
  });
});

describe('A variable that looks like one of ours', () => {
  it.each([
    ['SIGNING_KEY', 'SIGNING_KEYS'],
    ['SIGNIN_KEYS', 'SIGNING_KEYS'],
    ['SIGNING_SECRET', 'SIGNING_KEYS'],
    ['signing_keys', 'SIGNING_KEYS'],
    ['EDGEPRESS_SIGNING_KEYS', 'SIGNING_KEYS'],
    ['SOURCE_ALOW', 'SOURCE_ALLOW'],
    ['SOURCES_ALLOWED', 'SOURCE_ALLOW'],
    ['ALLOWED_SOURCES', 'SOURCE_ALLOW'],
    ['SOURCE_ALLOW_LIST', 'SOURCE_ALLOW'],
    ['ADMIN_TOKN', 'ADMIN_TOKEN'],
    ['ADMINTOKEN', 'ADMIN_TOKEN'],
    ['ADMIN_TOKEN_FILE', 'ADMIN_TOKEN'],
    ['EDGEPRESS_ADMIN_TOKN', 'ADMIN_TOKEN'],
    ['STROE', 'STORE'],
    ['PREWARM_SIZES', 'PREWARM_FOR'],
    ['QUEUE_LIMITS', 'QUEUE_LIMIT'],
  ])('is a fault that names the right one: %s', (name, meant) => {
    expect(faultsOf({ [name]: 'a value' })).toEqual([
      `${name}: there is no such variable: ${meant} is probably meant. If it belongs to another program, name it in IGNORED_VARIABLES`,
    ]);
  });

  it('is none if it is empty, or named in IGNORED_VARIABLES', () => {
    expect(
      faultsOf({ SIGNING_KEY: '', ADMIN_TOKN: 'x', SORT: 'x', IGNORED_VARIABLES: 'ADMIN_TOKN, SORT' }),
    ).toEqual([]);
  });

  it('is reported beside wrong values', () => {
    const faults = faultsOf({ PORT: 'http', SIGNING_KEY: 'k:00', IGNORED_VARIABLES: ',' });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['PORT', 'IGNORED_VARIABLES', 'SIGNING_KEY']);
  });

  it('is none of those that shells, npm, CI, containers and other programs set', () => {
    const names = [
      ...[
        'HOME',
        'HOSTNAME',
        'HOSTTYPE',
        'PATH',
        'PWD',
        'OLDPWD',
        'LANG',
        'LOGNAME',
        'USER',
        'SHELL',
        'SHLVL',
        'TERM',
        'TZ',
        'TMPDIR',
        '_',
      ],
      ...[
        'DISPLAY',
        'COLUMNS',
        'LINES',
        'EDITOR',
        'PAGER',
        'MAIL',
        'NO_COLOR',
        'FORCE_COLOR',
        'COLORTERM',
        'DEBUG',
        'CI',
        'INIT_CWD',
      ],
      ...[
        'npm_config_cache',
        'npm_package_name',
        'npm_lifecycle_script',
        'npm_execpath',
        'NODE',
        'NODE_OPTIONS',
        'NODE_ENV',
        'NODE_PATH',
      ],
      ...[
        'UV_THREADPOOL_SIZE',
        'MALLOC_ARENA_MAX',
        'VIPS_CONCURRENCY',
        'WEB_CONCURRENCY',
        'SOURCE_DATE_EPOCH',
        'SOURCE_VERSION',
      ],
      ...[
        'AWS_REGION',
        'AWS_DEFAULT_REGION',
        'AWS_ACCESS_KEY_ID',
        'AWS_SECRET_ACCESS_KEY',
        'AWS_SESSION_TOKEN',
        'AWS_ENDPOINT_URL_S3',
      ],
      ...[
        'AWS_LAMBDA_FUNCTION_NAME',
        'AWS_LAMBDA_RUNTIME_API',
        '_HANDLER',
        '_X_AMZN_TRACE_ID',
        'LAMBDA_TASK_ROOT',
        'CDK_DEFAULT_REGION',
      ],
      ...[
        'OTEL_SERVICE_NAME',
        'OTEL_TRACES_SAMPLER',
        'OTEL_TRACES_SAMPLER_ARG',
        'OTEL_EXPORTER_OTLP_HEADERS',
        'OTEL_METRIC_EXPORT_TIMEOUT',
      ],
      ...[
        'NOTIFY_SOCKET',
        'LISTEN_FDS',
        'INVOCATION_ID',
        'JOURNAL_STREAM',
        'CACHE_DIRECTORY',
        'LOGS_DIRECTORY',
        'STATE_DIRECTORY',
      ],
      ...[
        'KUBERNETES_PORT',
        'KUBERNETES_SERVICE_HOST',
        'STORE_SERVICE_HOST',
        'QUEUE_SERVICE_PORT',
        'EDGEPRESS_SERVICE_HOST',
        'PREWARM_SERVICE_HOST',
        'SIGNING_SERVICE_PORT_HTTP',
        'SIGNING_PORT_80_TCP_ADDR',
      ],
      ...[
        'DATABASE_URL',
        'REDIS_URL',
        'S3_BUCKET',
        'GITHUB_TOKEN',
        'SSH_AUTH_SOCK',
        'DYNO',
        'K_SERVICE',
        'ECS_CONTAINER_METADATA_URI',
      ],
    ];
    expect(faultsOf(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
    expect(faultsOf({ EDGEPRESS_PORT: 'tcp://10.0.0.1:80', STORE_PORT: 'tcp://10.0.0.2:80' })).toEqual([]);
  });
});
