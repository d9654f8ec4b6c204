import { describe, expect, it } from 'vitest';
import { cloudFormation, type StubStack, serviceQuotas, sts } from '../support/aws/account-services.ts';
import { type AwsStub, startAws } from '../support/aws/aws.ts';
import { runCommandInProcess } from '../support/command.ts';

const BOOTSTRAPPED: StubStack = { status: 'CREATE_COMPLETE', outputs: { BootstrapVersion: '33' } };

interface Account {
  stacks?: Record<string, StubStack>;
  quota?: number | undefined;
}

const openAccount = ({ stacks = { CDKToolkit: BOOTSTRAPPED }, quota = 1000 }: Account = {}) =>
  startAws(sts(), cloudFormation(stacks), serviceQuotas(quota));

async function check({ env }: AwsStub, args: readonly string[] = [], more: Record<string, string> = {}) {
  const ended = await runCommandInProcess(['deploy:check', ...args], { ...env, ...more });
  const { status, stdout, stderr } = ended;
  /** The lines of one check. */
  const lineOf = (what: string) => new RegExp(`^.*  ${what} .*(?:\n  .*)*`, 'm').exec(stdout)?.[0] ?? '';
  return { status, stdout, stderr, lineOf };
}

describe('the command deploy:check', () => {
  it('ends with 0 and prints what it found when all is right', async () => {
    const aws = await openAccount();
    const { status, stdout, stderr } = await check(aws);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.slice(0, 31).trim().split(/ {2,}/))).toEqual([
      ['ok', 'Node'],
      ['ok', 'workers'],
      ['ok', 'region'],
      ['ok', 'credentials'],
      ['ok', 'CDK bootstrap'],
      ['ok', 'Lambda concurrency'],
      ['ok', 'stack Edgepress'],
      [''],
    ]);
    expect(stdout).toMatch(
      /eu-north-1\n.*account 123456789012, as arn:aws:iam::123456789012:user\/deployer\n/,
    );
    expect(stdout).toMatch(
      /workers +100,000 units an hour × 5 images = 139 images a second of 350 ms: 49 workers needed, 61 at most: deploy with "workerMaxConcurrency": 61, "workerMemoryMb": 1769\n/,
    );
    expect(stdout).toMatch(
      /1,000 for all .*, 161 needed: 61 workers \+ 100 for the image function and all else\n/,
    );
    expect(aws.operations.filter((operation) => !/^(Get|Describe)/.test(operation))).toEqual([]);
  });

  it('ends with 2 and says which quota to raise when Lambda allows too few concurrent executions', async () => {
    const aws = await openAccount({ quota: undefined });
    const fits = await check(aws, ['--units-per-hour', '1000000', '--images', '5', '--ms', '518']);
    expect(fits.status).toBe(0);
    expect(fits.lineOf('Lambda concurrency')).toMatch(/1,000 for .*, 1,000 needed: 900 workers \+ 100 for/);
    const { status, lineOf } = await check(aws, [
      '--units-per-hour',
      '1000000',
      '--images',
      '5',
      '--ms',
      '519',
    ]);
    expect(status).toBe(2);
    expect(lineOf('Lambda concurrency')).toMatch(
      /^missing .* 1,000 for .*, 1,002 needed: .*\n +→ aws service-quotas request-service-quota-increase .*--quota-code L-B99A9384 --desired-value 1300$/,
    );
  });

  it('calculates the same workers, options and quota as plan', async () => {
    const aws = await openAccount();
    for (const load of [
      ['--units-per-hour', '1000000', '--images', '5', '--ms', '560'],
      ['--units-per-hour', '1000000', '--images', '15', '--ms', '350', '--memory', '1769'],
    ]) {
      const planned = await runCommandInProcess(['plan', ...load, '--json']);
      expect(planned.status).toBe(0);
      const { workers, stackOptions, beyondOneStack, quotas } = JSON.parse(planned.stdout);
      const { lineOf, status } = await check(aws, load);
      expect(status).toBe(2);
      expect(lineOf('workers')).toContain(
        beyondOneStack ??
          `"workerMaxConcurrency": ${stackOptions.workerMaxConcurrency}, "workerMemoryMb": ${stackOptions.workerMemoryMb}`,
      );
      expect(lineOf('Lambda concurrency')).toContain(
        `${workers.executions.value.toLocaleString('en')} needed`,
      );
      const [, toAskFor = ''] = /--desired-value (\d+)$/.exec(lineOf('Lambda concurrency')) ?? [];
      expect(quotas[0].verdict).toBe(`raise it to ${Number(toAskFor).toLocaleString('en')} or more`);
    }
  });

  it.each([
    [
      'was never bootstrapped',
      {},
      /^missing .* eu-north-1 is not bootstrapped\n +→ npx cdk bootstrap aws:\/\/123456789012\/eu-north-1$/,
    ],
    [
      'was bootstrapped long ago',
      { CDKToolkit: { status: 'UPDATE_COMPLETE', outputs: { BootstrapVersion: '5' } } },
      /^missing .* version 5, .* 6 or later is needed\n +→ npx cdk bootstrap/,
    ],
    [
      'has a failed bootstrap stack',
      { CDKToolkit: { status: 'ROLLBACK_COMPLETE' } },
      /^missing .* ROLLBACK_COMPLETE.*\n +→ npx cdk bootstrap/,
    ],
  ])('ends with 2 and says how to bootstrap when an account %s', async (_, stacks, line) => {
    const { status, lineOf } = await check(await openAccount({ stacks }));
    expect(status).toBe(2);
    expect(lineOf('CDK bootstrap')).toMatch(line);
  });

  it.each([
    ['UPDATE_COMPLETE', 0, /^ok .* is there \(UPDATE_COMPLETE\): the deploy updates it$/],
    ['UPDATE_IN_PROGRESS', 2, /^missing .* is UPDATE_IN_PROGRESS\n +→ wait/],
    ['ROLLBACK_COMPLETE', 2, /^missing .*\n +→ .*npx cdk destroy Mine/],
    [
      'UPDATE_ROLLBACK_FAILED',
      2,
      /^missing .*\n +→ aws cloudformation continue-update-rollback --stack-name Mine/,
    ],
  ])('says whether a stack with the status %s can be deployed to', async (state, expected, line) => {
    const aws = await openAccount({ stacks: { CDKToolkit: BOOTSTRAPPED, Mine: { status: state } } });
    const { status, lineOf } = await check(aws, ['Mine']);
    expect(status).toBe(expected);
    expect(lineOf('stack Mine')).toMatch(line);
  });

  it('ends with 1 when something could not be checked, and still checks the rest', async () => {
    const aws = await openAccount();
    aws.fault = (operation) => (operation === 'GetServiceQuota' ? 'deny' : undefined);
    const { status, lineOf } = await check(aws);
    expect(status).toBe(1);
    expect(lineOf('Lambda concurrency')).toMatch(
      /^not checked .*AWS refuses servicequotas:GetServiceQuota \(.*\)\n +→ give that permission to .*$/,
    );
    expect(lineOf('stack Edgepress')).toMatch(/^ok/);
  });

  it('ends with 2 in a region that lacks what the stack needs, and names the nearest that has it', async () => {
    const aws = await openAccount();
    const { status, stdout } = await check(aws, [], { AWS_REGION: 'me-central-1' });
    expect(status).toBe(2);
    expect(stdout).toMatch(
      /^missing +region +me-central-1 has no Lambda function URLs, .*\n +→ deploy to me-south-1, .*\nnot checked/m,
    );
    expect(aws.operations).toEqual([]);
  });

  it('calls no other service without a region or credentials, and says which is missing', async () => {
    const aws = await openAccount();
    const nowhere = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    const { AWS_REGION: _, ...env } = aws.env;
    const homeless = await check({ ...aws, env }, [], nowhere);
    expect(homeless.status).toBe(2);
    expect(homeless.stdout).toMatch(
      /^missing .* none is set\n +→ set AWS_REGION\nnot checked .* depends on the region/m,
    );
    const nobody = await check(aws, [], { ...nowhere, AWS_ACCESS_KEY_ID: '' });
    expect(nobody.status).toBe(2);
    expect(nobody.stdout).toMatch(
      /^missing .* No AWS credentials were found \(.*\)\n +→ set AWS_PROFILE, .*\nnot checked .* need credentials/m,
    );
    expect(aws.operations).toEqual([]);
    const unreachable = await check(aws, [], { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    expect(unreachable.status).toBe(1);
    expect(unreachable.lineOf('credentials')).toMatch(/^not checked .*ECONNREFUSED/);
  });
});
