import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { withoutHash } from '../support/infra/resources.ts';
import { ALL_OPTIONS, synthesise } from '../support/infra/synthesise.ts';

interface Statement {
  Action: string | string[];
  Resource: unknown;
}

const template = synthesise();

/** Returns the actions that a policy allows, by resource: an ARN with the names of resources in braces, without their hashes. */
function actionsIn(from: Template, policy: string): Record<string, string[]> {
  const policies = {
    ...from.findResources('AWS::IAM::Policy'),
    ...from.findResources('AWS::IAM::ManagedPolicy'),
  };
  const [found, ...more] = Object.keys(policies).filter((id) => id.startsWith(policy));
  expect(more).toEqual([]);
  const actions: Record<string, string[]> = {};
  const statements: Statement[] = policies[found ?? '']?.['Properties'].PolicyDocument.Statement ?? [];
  for (const { Action, Resource } of statements) {
    for (const resource of [Resource].flat()) {
      const name = nameOf(resource);
      actions[name] = [...new Set([...(actions[name] ?? []), ...[Action].flat()])].toSorted();
    }
  }
  return actions;
}

function nameOf(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, Ref: ref } = resource as Record<string, unknown[]>;
  if (join) return (join[1] as unknown[]).map(nameOf).join('');
  return `{${withoutHash(String(attribute?.[0] ?? ref))}}`;
}

const distribution = 'arn:{AWS::Partition}:cloudfront::{AWS::AccountId}:distribution/{Distribution}';
const invalidation = ['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'];
const objects = ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'];
const logs = ['logs:CreateLogStream', 'logs:PutLogEvents'];

describe('permissions', () => {
  it('let the image function store variants, read tombstones and send jobs to the worker', () => {
    expect(actionsIn(template, 'ImageFunctionRole')).toEqual({
      '{ImageFunctionLogs}': logs,
      '{Bucket}': ['s3:ListBucket'],
      '{Bucket}/v1/*': objects,
      '{Bucket}/states/*': ['s3:DeleteObject', 's3:GetObject'],
      '{Bucket}/purged/*': ['s3:GetObject'],
      '{Queue}': ['sqs:SendMessage'],
    });
  });

  it('let the worker also sweep, receive messages and invalidate at the CDN', () => {
    expect(actionsIn(template, 'WorkerRole')).toEqual({
      '{WorkerLogs}': logs,
      '{Bucket}': ['s3:ListBucket'],
      '{Bucket}/v1/*': objects,
      '{Bucket}/states/*': objects,
      '{Bucket}/purged/*': ['s3:DeleteObject', 's3:GetObject'],
      '{Bucket}/swept.json': ['s3:GetObject', 's3:PutObject'],
      '{Bucket}/submissions/*': ['s3:DeleteObject', 's3:GetObject'],
      '{Bucket}/last-attempts/*': objects,
      '{Bucket}/packs/*': ['s3:DeleteObject', 's3:GetObject'],
      '{Bucket}/leases/*': ['s3:GetObject', 's3:PutObject'],
      '{Queue}': [
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:GetQueueUrl',
        'sqs:ReceiveMessage',
        'sqs:SendMessage',
      ],
      [distribution]: invalidation,
    });
  });

  it('let the worker alone send events to what NOTIFY names, and read their secret', () => {
    const topic = 'arn:aws:sns:eu-west-1:123456789012:units';
    const secret = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:hooks-AbCdEf';
    const notify = `https://example.com/hook,sns:${topic},eventbridge:units`;
    const told = synthesise({ notify, notifySecret: secret });
    const bus = 'arn:{AWS::Partition}:events:{AWS::Region}:{AWS::AccountId}:event-bus/units';
    const granted = {
      '{Bucket}/events/*': objects,
      [topic]: ['sns:Publish'],
      [bus]: ['events:PutEvents'],
      [secret]: ['secretsmanager:GetSecretValue'],
    };
    expect(actionsIn(told, 'WorkerRole')).toMatchObject(granted);
    for (const resource of Object.keys(granted))
      expect(actionsIn(told, 'ImageFunctionRole')).not.toHaveProperty([resource]);
  });

  it('let workers on Fargate do what the worker function does, whose log is written for them', () => {
    const withFargate = synthesise({ fargateMaxTasks: 20 });
    const { '{WorkerLogs}': _logs, '{Queue}': onQueue, ...others } = actionsIn(withFargate, 'WorkerRole');
    expect(actionsIn(withFargate, 'WorkersRole')).toEqual({
      ...others,
      '{Queue}': onQueue?.filter((action) => action !== 'sqs:GetQueueUrl'),
    });
  });

  it('let CodeDeploy move requests between versions of the image function, and look at alarms', () => {
    const alias = ['lambda:GetAlias', 'lambda:GetProvisionedConcurrencyConfig', 'lambda:UpdateAlias'];
    expect(actionsIn(template, 'ImageDeploymentRole')).toEqual({
      '{ImageFunction}': alias,
      '{ImageFunction}:*': alias,
      '*': ['cloudwatch:DescribeAlarms'],
    });
  });

  const thisStack = 'arn:{AWS::Partition}:cloudformation:{AWS::Region}:{AWS::AccountId}:stack/Test/*';
  const sqs = (...actions: string[]) => actions.map((action) => `sqs:${action}`);
  const readLogs = ['logs:DescribeLogStreams', 'logs:FilterLogEvents', 'logs:GetLogEvents'];

  it('let operators do what the commands and the runbook do, and not touch signing keys', () => {
    expect(actionsIn(template, 'OperatorPolicy')).toEqual({
      '{Bucket}': ['s3:ListBucket'],
      '{Bucket}/*': objects,
      '{Queue}': sqs('GetQueueAttributes', 'SendMessage'),
      '{DeadLetters}': sqs(
        ...['CancelMessageMoveTask', 'DeleteMessage', 'GetQueueAttributes', 'ListMessageMoveTasks'],
        ...['ReceiveMessage', 'StartMessageMoveTask'],
      ),
      [distribution]: invalidation,
      '{ImageFunctionLogs}': readLogs,
      '{WorkerLogs}': readLogs,
      '{SigningKeys}': ['secretsmanager:GetSecretValue'],
      [thisStack]: ['cloudformation:DescribeStacks'],
    });
  });

  it('of operators keep the description, with which the policy would be replaced and be on no role', () => {
    template.hasResourceProperties('AWS::IAM::ManagedPolicy', {
      Description: 'Prewarm, status, purge and keys of Test',
    });
  });

  it('let those with the policy of keys rotate and revoke them, and nothing else', () => {
    expect(actionsIn(template, 'KeyPolicy')).toEqual({
      '{EdgeKeys}': ['DescribeKeyValueStore', 'GetKey', 'PutKey'].map(
        (action) => `cloudfront-keyvaluestore:${action}`,
      ),
      '{SigningKeys}': ['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
        (action) => `secretsmanager:${action}`,
      ),
      [thisStack]: ['cloudformation:DescribeStacks'],
    });
  });

  it.each(['ImageFunctionRole', 'WorkerRole'])(
    "let the %s read what SOURCE_ALLOW allows in clients' buckets",
    (role) => {
      const { ingestFrom: _, ...options } = ALL_OPTIONS;
      const entries = Object.entries(actionsIn(synthesise(options), role));
      expect(Object.fromEntries(entries.filter(([resource]) => resource.includes(':s3:::')))).toEqual({
        'arn:{AWS::Partition}:s3:::originals': ['s3:ListBucket'],
        'arn:{AWS::Partition}:s3:::originals/a/*': ['s3:GetObject'],
        'arn:{AWS::Partition}:s3:::more-originals': ['s3:ListBucket'],
        'arn:{AWS::Partition}:s3:::more-originals/what${?}/${$}1/*': ['s3:GetObject'],
      });
    },
  );

  it('let the worker alone read the objects that ingestFrom names, and submit their units', () => {
    const ingesting = synthesise({ ingestFrom: 's3://deliveries/units/' });
    const s3Of = (role: string) =>
      Object.entries(actionsIn(ingesting, role)).filter(([resource]) => resource.includes(':s3:::'));
    expect(Object.fromEntries(s3Of('WorkerRole'))).toEqual({
      'arn:{AWS::Partition}:s3:::deliveries': ['s3:ListBucket'],
      'arn:{AWS::Partition}:s3:::deliveries/units/*': ['s3:GetObject'],
    });
    expect(s3Of('ImageFunctionRole')).toEqual([]);
    const submitted = { '{Bucket}/packs/*': objects, '{Bucket}/submissions/*': objects };
    expect(actionsIn(ingesting, 'WorkerRole')).toMatchObject(submitted);
  });

  it.each(['ImageFunctionRole', 'WorkerRole'])(
    'let the %s read the secret with the headers of sources',
    (role) => {
      const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:source-headers-0a1b2c';
      expect(actionsIn(synthesise(ALL_OPTIONS), role)).toHaveProperty(
        [arn],
        ['secretsmanager:GetSecretValue'],
      );
    },
  );

  it('never allow all actions, or all resources except X-Ray, which has none to name', () => {
    const full = synthesise(ALL_OPTIONS);
    for (const policy of ['ImageFunctionRole', 'WorkerRole', 'OperatorPolicy', 'KeyPolicy']) {
      const actions = actionsIn(full, policy);
      for (const action of actions['*'] ?? [])
        expect(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']).toContain(action);
      expect(Object.values(actions).flat().join()).not.toContain('*');
    }
  });

  it('do not come from managed policies of AWS', () => {
    const full = synthesise(ALL_OPTIONS);
    for (const { Properties } of Object.values(full.findResources('AWS::IAM::Role'))) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });
});
