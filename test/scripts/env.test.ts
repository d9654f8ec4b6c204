import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { DEPLOYED, ENVIRONMENT, setUpStack } from '../support/aws/stack.ts';

const KEYS = `new:${'1a'.repeat(32)},old:${'2b'.repeat(16)}`;

describe('the command env', () => {
  it('prints lines that set the environment of the stack and its keys in a shell', async () => {
    const { run, aws } = await setUpStack({ edge: KEYS, signers: KEYS });
    const { status, stdout, stderr } = await run(['env', 'Edgepress']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const names = [...Object.keys(ENVIRONMENT), 'SIGNING_KEYS'];
    const script = `eval "$1"; ${names.map((name) => `printf '%s\\n' "$${name}"`).join('; ')}`;
    const values = execFileSync('sh', ['-c', script, 'sh', stdout], { encoding: 'utf8' });
    expect(values).toBe([...Object.values(ENVIRONMENT), KEYS, ''].join('\n'));
    expect(aws.operations).toEqual(['DescribeStacks', 'GetSecretValue']);
  });

  it('prints a JSON object with --json, and does not read the keys with --no-keys', async () => {
    const { run, aws } = await setUpStack({ signers: KEYS });
    expect(JSON.parse((await run(['env', '--json'])).stdout)).toEqual({ ...ENVIRONMENT, SIGNING_KEYS: KEYS });
    aws.operations.length = 0;
    expect(JSON.parse((await run(['env', '--json', '--no-keys'])).stdout)).toEqual(ENVIRONMENT);
    expect(aws.operations).toEqual(['DescribeStacks']);
  });

  it('says how to make a key when there are none', async () => {
    const { run } = await setUpStack();
    const { status, stdout, stderr } = await run(['env']);
    expect(status).toBe(0);
    expect(stdout).not.toContain('SIGNING_KEYS');
    expect(stderr).toMatch(/no signing keys yet\. .*npx edgepress keys rotate Edgepress\n$/);
  });

  it('warns when the last update of the stack has failed', async () => {
    const { run } = await setUpStack({
      signers: KEYS,
      stack: { ...DEPLOYED, status: 'UPDATE_ROLLBACK_FAILED' },
    });
    const { status, stdout, stderr } = await run(['env']);
    expect(status).toBe(0);
    expect(stdout).toContain('SIGNING_KEYS');
    expect(stderr).toMatch(/is UPDATE_ROLLBACK_FAILED/);
  });

  it.each([
    ['a different name', {}, ['env', 'Other'], /no stack Other in this account and region/],
    [
      'not been deployed completely',
      { stack: { status: 'CREATE_IN_PROGRESS' } },
      ['env'],
      /not ready: it is CREATE_IN_PROGRESS/,
    ],
    [
      'outputs of another kind',
      { stack: { status: 'CREATE_COMPLETE', outputs: { Url: 'x' } } },
      ['env'],
      /no output Environment/,
    ],
    [
      'variable names that a shell would execute',
      { stack: { ...DEPLOYED, outputs: { ...DEPLOYED.outputs, Environment: '{"A;rm -rf x":"y"}' } } },
      ['env'],
      /Environment of the stack Edgepress is not an object of variables/,
    ],
    [
      'a secret that is not a list of keys',
      { signers: 'new:secret' },
      ['env'],
      /^The secret does not contain signing keys: key 1 must be/,
    ],
  ])('ends with 1 and makes a shell fail when the stack has %s', async (_, how, args, said) => {
    const { run } = await setUpStack(how);
    const { status, stdout, stderr } = await run(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: 'false\n' });
    expect(stderr).toMatch(said);
    expect(stderr).not.toMatch(/\n {4}at |new:secret/);
  });

  it('makes eval fail after any error, so that a shell does not go on with an older environment', async () => {
    const { run } = await setUpStack({ signers: KEYS });
    for (const args of [
      ['env', 'Other'],
      ['env', '--no-key'],
      ['env', 'Edgepress', 'Other'],
    ]) {
      const { status, stdout, stderr } = await run(args);
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/./) });
      const script = 'PUBLIC_URL=https://old.test; eval "$1" && echo "$PUBLIC_URL"; true';
      expect(execFileSync('sh', ['-c', script, 'sh', stdout], { encoding: 'utf8' })).toBe('');
    }
    expect(await run(['env', 'Other', '--json'])).toMatchObject({ status: 1, stdout: '' });
  });

  it('says which permission, credentials, region or connection is missing', async () => {
    const { run, aws } = await setUpStack({ signers: KEYS });
    aws.fault = (operation) => (operation === 'GetSecretValue' ? 'deny' : undefined);
    expect(await run(['env'])).toMatchObject({
      status: 1,
      stdout: 'false\n',
      stderr: expect.stringMatching(
        /^AWS refuses secretsmanager:GetSecretValue \(.*\): give that permission to .*\.\n$/,
      ),
    });
    const nowhere = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    const faults: [Record<string, string>, RegExp][] = [
      [{ AWS_ACCESS_KEY_ID: '' }, /^No AWS credentials were found \(.*\): set AWS_PROFILE, /],
      [{ AWS_REGION: '' }, /^The AWS region is missing or invalid: set AWS_REGION\.\n$/],
      [
        { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
        /^AWS failed at cloudformation:DescribeStacks: .*ECONNREFUSED/,
      ],
    ];
    for (const [env, said] of faults) {
      const { status, stdout, stderr } = await run(['env'], { ...nowhere, ...env });
      expect({ status, stdout }).toEqual({ status: 1, stdout: 'false\n' });
      expect(stderr).toMatch(said);
    }
  });
});
