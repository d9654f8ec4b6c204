import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { makeOutput } from '../support/infra/output.ts';
import { EVERYTHING, synthesise } from '../support/infra/synthesise.ts';

/** Runs the app as the CDK command does. */
function runApp(context: Record<string, unknown>, env: Record<string, string> = {}) {
  const out = makeOutput();
  const { app, context: usual } = JSON.parse(readFileSync('cdk.json', 'utf8'));
  const CDK_CONTEXT_JSON = JSON.stringify({ ...usual, 'aws:cdk:bundling-stacks': [], ...context });
  const { status, stderr } = spawnSync(app, {
    shell: true,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], CDK_OUTDIR: out, CDK_CONTEXT_JSON, ...env },
  });
  return { status, stderr, read: (name: string) => JSON.parse(readFileSync(join(out, name), 'utf8')) };
}

describe('the app', () => {
  it("makes a stack that CloudFormation's schemas have nothing against, with every option", () => {
    const strict = { '@aws-cdk/core:strictCfnValidateErrors': true };
    const { status, stderr } = runApp({ edgepress: EVERYTHING, ...strict });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('makes one stack, named and set by the context, for wherever the CDK command is', () => {
    const edgepress = { stackName: 'Pictures', sourceAllow: 'https://*.example.com/*' };
    const context = { edgepress, 'edgepress.widths': '317,641' };
    const env = {
      CDK_DEFAULT_ACCOUNT: '123456789012',
      CDK_DEFAULT_REGION: 'us-east-1',
      CDK_VALIDATION: 'false',
    };
    const { status, stderr, read } = runApp(context, env);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(read('manifest.json').artifacts.Pictures.environment).toBe('aws://123456789012/us-east-1');
    expect(JSON.stringify(read('Pictures.template.json'))).toContain('317,641');
  });

  it('warns of what can be deployed and is hardly meant, and goes on', () => {
    const { status, stderr } = runApp({}, { CDK_VALIDATION: 'false' });
    expect(stderr).toMatch(/WARNING sourceAllow is not set: any public address may be fetched/);
    expect(status).toBe(0);
  });

  it('stops with every fault of the context, and no stack trace', () => {
    const context = {
      'edgepress.widths': 'wide',
      'edgepress.colour': 'blue',
      'edgepres.maxPixels': '9',
      'edgepress.alarmTopicArn': EVERYTHING.alarmTopicArn,
    };
    const { status, stderr } = runApp(context, { CDK_DEFAULT_REGION: 'eu-west-1' });
    expect(status).toBe(1);
    expect(stderr.split('\n').filter((line) => line.startsWith('  '))).toEqual([
      '  edgepres.maxPixels: options are edgepress.NAME, in just these letters: did you mean edgepress.maxPixels?',
      '  colour: there is no such option. All are in infra/options.ts',
      '  widths: must be widths in pixels from 1 to 16383, separated by commas',
      '  alarmTopicArn: the topic is in us-east-1, and alarms in eu-west-1, where the stack is, tell topics there alone',
    ]);
    expect(stderr).not.toContain('    at ');
  });
});

describe('outputs', () => {
  const outputs = synthesise({ sourceAllow: 's3://originals/*' }).toJSON()['Outputs'];

  it('are those that commands look for', () => {
    expect(Object.keys(outputs).toSorted()).toEqual([
      'BucketName',
      'DashboardUrl',
      'DeadLetterQueueUrl',
      'DistributionId',
      'Environment',
      'ImageLogGroup',
      'KeyValueStoreArn',
      'OperatorPolicyArn',
      'QueueUrl',
      'SignerPolicyArn',
      'SigningKeysSecretArn',
      'Url',
      'WorkerLogGroup',
    ]);
  });

  it('have where the logs and the dashboard are', () => {
    expect(outputs.ImageLogGroup.Value).toEqual({ Ref: expect.stringMatching(/^ImageFunctionLogs/) });
    expect(outputs.WorkerLogGroup.Value).toEqual({ Ref: expect.stringMatching(/^WorkerLogs/) });
    const parts = outputs.DashboardUrl.Value['Fn::Join'][1] as unknown[];
    const filled = parts.map((part) => {
      if (typeof part === 'string') return part;
      const { Ref: ref } = part as { Ref: string };
      return ref === 'AWS::Region' ? 'eu-west-1' : ref.replace(/[0-9A-F]{8}$/, '');
    });
    expect(filled.join('')).toBe(
      'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/Dashboard',
    );
  });

  it('have the environment of the commands, without any key', () => {
    const parts = outputs.Environment.Value['Fn::Join'][1] as unknown[];
    const filled = parts.map((part) =>
      typeof part === 'string' ? part : fill(part as Record<string, unknown>),
    );
    const environment = JSON.parse(filled.join(''));
    expect(readConfig(environment)).toMatchObject({
      publicUrl: 'https://d111.cloudfront.net',
      store: { kind: 's3', bucket: 'the-bucket' },
      queue: { kind: 'sqs', url: 'https://sqs.eu-west-1.amazonaws.com/1/queue' },
      cdn: { kind: 'cloudfront', distribution: 'E123' },
      sourceAllow: [{ scheme: 's3:' }],
    });
    expect(environment).toMatchObject({ AWS_REGION: 'eu-west-1', WIDTHS: '160,320,480,720,1080,1600,2048' });
    expect(Object.keys(environment).join()).not.toMatch(/KEY|TOKEN|SECRET/);
  });

  it('have the first of the names that images are asked for under', () => {
    const options = {
      domainNames: 'img.example.com,pictures.example.com',
      certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d',
    };
    expect(synthesise(options).toJSON()['Outputs'].Url.Value).toBe('https://img.example.com');
  });
});

/** What CloudFormation would fill in. */
function fill({ Ref: ref, 'Fn::GetAtt': attribute }: Record<string, unknown>): string {
  if (attribute) return 'd111.cloudfront.net';
  const name = String(ref);
  if (name === 'AWS::Region') return 'eu-west-1';
  if (name.startsWith('Bucket')) return 'the-bucket';
  return name.startsWith('Queue') ? 'https://sqs.eu-west-1.amazonaws.com/1/queue' : 'E123';
}
