import { describe, expect, it } from 'vitest';
import { VARIABLES } from '../../src/config-variables.ts';
import { runCommandInProcess } from '../support/command.ts';

const SECRETS = {
  SIGNING_KEYS: `k:${'5e'.repeat(16)}`,
  ADMIN_TOKEN: 'secret-of-operators',
  NOTIFY_SECRET: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
  SOURCE_HEADERS: '{"https://images.test/*": {"Authorization": "Bearer secret"}}',
};

describe('the command config', () => {
  it('prints every variable, the value in effect, and where it comes from', async () => {
    const env = { STORE: 's3://my-bucket', SOURCE_ALLOW: 'https://a.test/*,\nhttps://b.test/*', PORT: '' };
    const { status, stdout, stderr } = await runCommandInProcess(['config'], env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^STORE +environment {2}s3:\/\/my-bucket$/m);
    expect(stdout).toMatch(/^SOURCE_ALLOW +environment {2}https:\/\/a\.test\/\*, https:\/\/b\.test\/\*$/m);
    expect(stdout).toMatch(/^PORT +default {6}3000$/m);
    expect(stdout).toMatch(/^CONCURRENCY +default {6}\d+ \(the number of CPU cores\)$/m);
    expect(stdout).toMatch(/^ADMIN_TOKEN +default {6}none: these routes do not exist$/m);
    expect(stdout.trimEnd().split('\n')).toHaveLength(Object.keys(VARIABLES).length);
    expect(stderr).toBe('Open: URLs need no signature, since SIGNING_KEYS is not set.\n');
  });

  it('never prints a secret', async () => {
    for (const more of [[], ['--json'], ['--set']]) {
      const { status, stdout, stderr } = await runCommandInProcess(['config', ...more], SECRETS);
      expect([status, stderr]).toEqual([
        0,
        'Open: any public address may be a source, since SOURCE_ALLOW is not set.\n',
      ]);
      expect(stdout.match(/hidden/g)).toHaveLength(4);
      for (const secret of Object.values(SECRETS)) expect(stdout).not.toContain(secret);
    }
  });

  it('prints addresses without their queries and passwords, which may have a secret', async () => {
    const env = {
      CDN: 'https://cache.test/a?token=s3cret,https://cache.test/b',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otlp.test/v1?api-key=s3cret',
      S3_ENDPOINT: 'http://me:s3cret@127.0.0.1:9000',
    };
    const { stdout } = await runCommandInProcess(['config', '--set'], env);
    expect(stdout).not.toContain('s3cret');
    expect(stdout).toMatch(
      /^CDN +environment {2}https:\/\/cache\.test\/a\?hidden,https:\/\/cache\.test\/b$/m,
    );
    expect(stdout).toMatch(/ https:\/\/otlp\.test\/v1\?hidden$/m);
    expect(stdout).toMatch(/ http:\/\/hidden@127\.0\.0\.1:9000$/m);
  });

  it('prints JSON, and with --set only what is set', async () => {
    const { stdout } = await runCommandInProcess(['config', '--json', '--set'], {
      PORT: '8080',
      ADMIN_TOKEN: 'operators',
    });
    expect(JSON.parse(stdout)).toEqual([
      { name: 'PORT', value: '8080', from: 'environment' },
      { name: 'ADMIN_TOKEN', value: 'hidden', from: 'environment' },
    ]);
  });

  it('says that npm start is the demo when nothing is configured', async () => {
    const { stderr } = await runCommandInProcess(['config'], { PORT: '8080' });
    expect(stderr).toMatch(/^Nothing is configured: edgepress serve runs the demo/m);
  });

  it('names what is wrong, and prints nothing else', async () => {
    const { status, stdout, stderr } = await runCommandInProcess(['config'], {
      PORT: 'http',
      SIGNING_KEY: 'k:00',
    });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^PORT: .*\nSIGNING_KEY: .*SIGNING_KEYS is probably meant/m);
  });
});
