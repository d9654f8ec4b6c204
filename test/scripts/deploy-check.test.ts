import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  cloudFormation,
  cloudFrontStores,
  lambdaAccount,
  type StubStack,
  sts,
} from '../support/aws/account-services.ts';
import { type AwsStub, startAws } from '../support/aws/aws.ts';
import { runCommandInProcess } from '../support/command.ts';
import { temporaryFolder } from '../support/http/service.ts';

const BOOTSTRAPPED: StubStack = { status: 'CREATE_COMPLETE', outputs: { BootstrapVersion: '33' } };

interface Account {
  stacks?: Record<string, StubStack>;
  quota?: number;
  stores?: readonly string[];
}

const openAccount = ({ stacks = { CDKToolkit: BOOTSTRAPPED }, quota = 1000, stores }: Account = {}) =>
  startAws(sts(), cloudFormation(stacks), lambdaAccount(quota), cloudFrontStores(stores));

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
      ['ok', 'region'],
      ['ok', 'options'],
      [''],
      ['ok', 'workers'],
      ['ok', 'credentials'],
      ['ok', 'CDK bootstrap'],
      ['ok', 'Lambda concurrency'],
      ['ok', 'Lambda memory'],
      ['ok', 'stack Edgepress'],
      [''],
    ]);
    expect(stdout).toMatch(
      / eu-north-1\n.*valid\n +→ sourceAllow is not set: .*\n.*\n.*account 123456789012, as arn:aws:iam::123456789012:user\/deployer\n/,
    );
    expect(stdout).toMatch(
      /workers +100 workers of 1,769 MB make 55\.4 images a second of 1,800 ms \(best: avif and webp, balanced, 1080 px\): 39,889 units of 5 images an hour\n/,
    );
    expect(stdout).toMatch(
      /1,000 for all .*, 200 needed: 100 workers \+ 100 for the image function and all else\n/,
    );
    expect(aws.operations.filter((operation) => !/^(Get|Describe|List)/.test(operation))).toEqual([]);
  });

  it('prints a line of JSON for each finding with --json, and ends as without', async () => {
    const aws = await openAccount({ stacks: {} });
    const { status, stdout, stderr } = await check(aws, ['--json']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
    const findings = stdout.trim().split('\n');
    expect(findings.map((line) => JSON.parse(line)).map(({ state, what }) => [state, what])).toEqual([
      ['ok', 'Node'],
      ['ok', 'region'],
      ['ok', 'options'],
      ['ok', 'workers'],
      ['ok', 'credentials'],
      ['missing', 'CDK bootstrap'],
      ['ok', 'Lambda concurrency'],
      ['ok', 'Lambda memory'],
      ['ok', 'stack Edgepress'],
    ]);
    expect(JSON.parse(findings[5] ?? '')).toEqual({
      ...{ state: 'missing', what: 'CDK bootstrap' },
      found: 'eu-north-1 is not bootstrapped',
      todo: 'npx cdk bootstrap aws://123456789012/eu-north-1',
    });
  });

  it('says which options a load needs, and whether those of the stack are enough', async () => {
    const aws = await openAccount();
    const load = ['--units-per-hour', '1000000', '--images', '5', '--ms', '350'];
    const few = await check(aws, load);
    expect(few.status).toBe(2);
    expect(few.lineOf('workers')).toMatch(
      /^missing .* 1,000,000 units an hour × 5 images = 1,389 images a second of 350 ms: 494 workers needed, 617 at most\n +→ deploy with "workerMaxConcurrency": 617, "workerMemoryMb": 1769$/,
    );
    const enough = await check(aws, [...load, '-c', 'edgepress.workerMaxConcurrency=617']);
    expect(enough.status).toBe(0);
    expect(enough.lineOf('workers')).toMatch(/^ok .*; the options have 617 workers of 1,769 MB$/);
    expect(enough.lineOf('Lambda concurrency')).toMatch(/^ok .* 717 needed/);
  });

  it('counts the containers of the options among the workers, and says how many a load needs', async () => {
    const aws = await openAccount();
    const load = ['--units-per-hour', '100000', '--images', '5'];
    const enough = await check(aws, [...load, '-c', 'edgepress.fargateMaxTasks=90'], { CDK_DOCKER: 'true' });
    expect(enough.status).toBe(0);
    expect(enough.lineOf('workers')).toMatch(
      /^ok .* 139 images a second of 1,800 ms: .*; the options have 2 workers of 1,769 MB and 90 containers of 4 vCPUs$/,
    );
    expect(enough.lineOf('Lambda concurrency')).toMatch(/^ok .* 102 needed: 2 workers \+ 100 /);
    const few = await check(aws, [...load, '-c', 'edgepress.fargateMaxTasks=60']);
    expect(few.status).toBe(2);
    expect(few.lineOf('workers')).toMatch(/^missing .*\n +→ deploy with "fargateMaxTasks": 79$/);
    expect(few.lineOf('Lambda concurrency')).toMatch(/^ok .* 102 needed/);
    const asked = await check(aws, ['-c', 'edgepress.fargateMaxTasks=1', '-c', 'edgepress.fargateVcpus=1']);
    expect(asked.lineOf('workers')).toMatch(
      / 2 workers of 1,769 MB and 1 container of 1 vCPU make 1\.664 images a second/,
    );
  });

  it('says whether what builds the image of containers is there, and which quota they need', async () => {
    const aws = await openAccount();
    const args = ['-c', 'edgepress.fargateMaxTasks=25'];
    const withDocker = async (script: string) => {
      const program = join(await temporaryFolder(), 'docker');
      await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return await check(aws, args, { CDK_DOCKER: program });
    };
    const built = await withDocker('[ "$1" = version ]');
    expect(built.status).toBe(0);
    expect(built.lineOf('Docker')).toMatch(/^ok .* is there/);
    expect(built.lineOf('Fargate quota')).toMatch(
      /^ok .* 25 containers of 4 vCPUs need 100 Fargate Spot vCPUs.*\n +→ yours: aws service-quotas .* L-36FBB829 /,
    );
    const stopped = await withDocker('echo "Cannot connect to the Docker daemon" >&2; exit 1');
    expect(stopped.status).toBe(2);
    expect(stopped.lineOf('Docker')).toMatch(
      /^missing .* version fails: Cannot connect to the Docker daemon\n +→ start .*, or its daemon$/,
    );
    const absent = await check(aws, args, { CDK_DOCKER: '/nowhere/docker' });
    expect(absent.lineOf('Docker')).toMatch(
      /^missing .* no program \/nowhere\/docker, .*\n +→ install Docker, or set CDK_DOCKER/,
    );
    expect((await check(aws)).stdout).not.toMatch(/Docker|Fargate/);
  });

  it("takes the CPU time of an image from the stack's effort and variants", async () => {
    const aws = await openAccount();
    const { lineOf } = await check(aws, ['-c', 'edgepress.prewarmEffort=fast']);
    expect(lineOf('workers')).toMatch(/ of 510 ms \(fast: avif and webp/);
    const larger = await check(aws, [
      ...['-c', 'edgepress.prewarmEffort=fast', '-c', 'edgepress.prewarmWidths=1080,2160'],
      ...['-c', 'edgepress.widths=1080,2160'],
    ]);
    expect(larger.lineOf('workers')).toMatch(
      / of 1,950 ms \(fast: avif and webp, balanced, 1080 and 2160 px\)/,
    );
  });

  it('says what a new account can run, and what to ask AWS for', async () => {
    const aws = await openAccount({ quota: 10 });
    const { status, lineOf } = await check(aws, ['-c', 'edgepress.imageMemoryMb=3538']);
    expect(status).toBe(2);
    expect(lineOf('Lambda concurrency')).toMatch(
      /^missing .* 10 for .*, 200 needed: .*\n +→ aws service-quotas request-service-quota-increase .*--quota-code L-B99A9384 --desired-value 1000; until it is granted, deploy with "workerMaxConcurrency": 5, which make 2\.77 images a second/,
    );
    expect(lineOf('Lambda memory')).toMatch(
      /^not checked .* 3,538 MB .* 3,008 MB at most.*\n +→ set imageMemoryMb/,
    );
    const reserving = await check(aws, ['-c', 'edgepress.imageReservedConcurrency=5']);
    expect(reserving.lineOf('Lambda concurrency')).toMatch(
      /^missing .* options reserve 5: the deployment fails\n +→ leave out imageReservedConcurrency/,
    );
    const advised = await check(aws, ['-c', 'edgepress.workerMaxConcurrency=5']);
    expect(advised.status).toBe(0);
    expect(advised.lineOf('Lambda concurrency')).toMatch(
      /^ok .* 10 for all .*: 5 workers leave viewers 5\n +→ for more: aws service-quotas .*--desired-value 1000$/,
    );
    expect(advised.lineOf('Lambda memory')).toMatch(/^ok /);
    const loaded = await check(aws, ['-c', 'edgepress.workerMaxConcurrency=5', '--units-per-hour', '9000']);
    expect(loaded.lineOf('Lambda concurrency')).toMatch(
      /^missing .*\n.*; until it is granted, deploy with .* 5, /,
    );
  });

  it('asks for more concurrent executions than the load needs, beyond the default', async () => {
    const aws = await openAccount();
    const { lineOf } = await check(aws, ['--units-per-hour', '1000000', '--images', '5', '--ms', '519']);
    expect(lineOf('Lambda concurrency')).toMatch(/^missing .* 1,010 needed: .*\n.* --desired-value 1300; /);
  });

  it('says what is wrong with the options before CDK does', async () => {
    const { status, stdout } = await check(await openAccount(), [
      ...[
        '-c',
        'edgepress.widths=wide',
        '-c',
        'edgepress.alarmTopicArn=arn:aws:sns:us-east-1:123456789012:ops',
      ],
    ]);
    expect(status).toBe(2);
    expect(stdout).toMatch(
      /^missing +options +widths: must be .*\n +→ correct it in cdk\.json\nmissing +options +alarmTopicArn: /m,
    );
    expect(stdout).toMatch(/^not checked +Lambda +it depends on the options$/m);
    expect((await check(await openAccount(), ['-c', 'edgepress'])).status).toBe(1);
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
      const [, toAskFor = ''] = /--desired-value (\d+);/.exec(lineOf('Lambda concurrency')) ?? [];
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

  it('refuses a name that a stack in another region has, since names at CloudFront are unique in the account', async () => {
    const aws = await openAccount({ stores: ['OtherEdgeKeysA9B3CCE5', 'MyImagesEdgeKeysA9B3CCE5'] });
    const { status, lineOf } = await check(aws, ['-c', 'edgepress.stackName=My-Images']);
    expect(status).toBe(2);
    expect(lineOf('stack My-Images')).toMatch(
      /^missing .* in another one of this account: .* MyImagesEdgeKeysA9B3CCE5, .*\n +→ set another "stackName" in cdk\.json/,
    );
    expect((await check(aws, ['Images'])).lineOf('stack Images')).toMatch(/^ok .* not there yet/);
  });

  it('ends with 1 when something could not be checked, and still checks the rest', async () => {
    const aws = await openAccount();
    aws.fault = (operation) => (operation === 'GetAccountSettings' ? 'deny' : undefined);
    const { status, lineOf } = await check(aws);
    expect(status).toBe(1);
    expect(lineOf('Lambda concurrency')).toMatch(
      /^not checked .*AWS refuses lambda:GetAccountSettings \(.*\)\n +→ give that permission to .*$/,
    );
    expect(lineOf('stack Edgepress')).toMatch(/^ok/);
  });

  it('ends with 2 in a region that lacks what the stack needs, and names the nearest that has it', async () => {
    const aws = await openAccount();
    const { status, stdout } = await check(aws, [], { AWS_REGION: 'me-central-1' });
    expect(status).toBe(2);
    expect(stdout).toMatch(
      /^missing +region +me-central-1 has no Lambda function URLs, .*\n +→ deploy to me-south-1, /m,
    );
    expect(aws.operations).toEqual([]);
  });

  it('calls no other service without a region or credentials, and says which is missing', async () => {
    const aws = await openAccount();
    const nowhere = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    const { AWS_REGION: _, ...env } = aws.env;
    const homeless = await check({ ...aws, env }, [], nowhere);
    expect(homeless.status).toBe(2);
    expect(homeless.stdout).toMatch(/^missing .* none is set\n +→ set AWS_REGION$/m);
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
