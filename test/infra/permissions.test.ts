import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { EVERYTHING, synthesise } from '../support/infra/synthesise.ts';

interface Statement {
  Action: string | string[];
  Resource: unknown;
}

const template = synthesise();

/** What may be done to what: `{ARN}` with the names of resources without their hashes. */
function rightsIn(from: Template, policy: string): Record<string, string[]> {
  const policies = {
    ...from.findResources('AWS::IAM::Policy'),
    ...from.findResources('AWS::IAM::ManagedPolicy'),
  };
  const [found, ...more] = Object.keys(policies).filter((id) => id.startsWith(policy));
  expect(more).toEqual([]);
  const rights: Record<string, string[]> = {};
  const statements: Statement[] = policies[found ?? '']?.['Properties'].PolicyDocument.Statement ?? [];
  for (const { Action, Resource } of statements) {
    for (const resource of [Resource].flat()) {
      const name = nameOf(resource);
      rights[name] = [...new Set([...(rights[name] ?? []), ...[Action].flat()])].toSorted();
    }
  }
  return rights;
}

function nameOf(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, Ref: ref } = resource as Record<string, unknown[]>;
  if (join) return (join[1] as unknown[]).map(nameOf).join('');
  return `{${String(attribute?.[0] ?? ref).replace(/[0-9A-F]{8}$/, '')}}`;
}

const distribution = 'arn:{AWS::Partition}:cloudfront::{AWS::AccountId}:distribution/{Distribution}';
const invalidation = ['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'];
const objects = ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'];
const logs = ['logs:CreateLogStream', 'logs:PutLogEvents'];

describe('rights', () => {
  it('of the image function: to keep variants, to look at purge marks, to tell the worker', () => {
    expect(rightsIn(template, 'ImageFunctionRole')).toEqual({
      '{ImageFunctionLogs}': logs,
      '{Bucket}': ['s3:ListBucket'],
      '{Bucket}/v1/*': objects,
      '{Bucket}/purged/*': ['s3:GetObject'],
      '{Queue}': ['sqs:SendMessage'],
    });
  });

  it('of the worker: also to sweep, to take messages, to have the CDN forget', () => {
    expect(rightsIn(template, 'WorkerRole')).toEqual({
      '{WorkerLogs}': logs,
      '{Bucket}': ['s3:ListBucket'],
      '{Bucket}/v1/*': objects,
      '{Bucket}/purged/*': ['s3:DeleteObject', 's3:GetObject'],
      '{Bucket}/swept.json': ['s3:GetObject', 's3:PutObject'],
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

  it('of operators: what the commands do', () => {
    expect(rightsIn(template, 'OperatorPolicy')).toEqual({
      '{Bucket}': ['s3:ListBucket'],
      '{Bucket}/*': objects,
      '{Queue}': ['sqs:GetQueueAttributes', 'sqs:SendMessage'],
      [distribution]: invalidation,
      '{EdgeKeys}': ['DescribeKeyValueStore', 'GetKey', 'PutKey'].map(
        (action) => `cloudfront-keyvaluestore:${action}`,
      ),
      '{SigningKeys}': ['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
        (action) => `secretsmanager:${action}`,
      ),
      'arn:{AWS::Partition}:cloudformation:{AWS::Region}:{AWS::AccountId}:stack/Test/*': [
        'cloudformation:DescribeStacks',
      ],
    });
  });

  it.each(['ImageFunctionRole', 'WorkerRole'])(
    'of the %s in the buckets of clients: to read what is allowed',
    (role) => {
      const rights = Object.entries(rightsIn(synthesise(EVERYTHING), role));
      expect(Object.fromEntries(rights.filter(([resource]) => resource.includes(':s3:::')))).toEqual({
        'arn:{AWS::Partition}:s3:::originals': ['s3:ListBucket'],
        'arn:{AWS::Partition}:s3:::originals/a/*': ['s3:GetObject'],
        'arn:{AWS::Partition}:s3:::more-originals': ['s3:ListBucket'],
        'arn:{AWS::Partition}:s3:::more-originals/what${?}/${$}1/*': ['s3:GetObject'],
      });
    },
  );

  it('are never all, nor to everything, and no policy is one of AWS', () => {
    const full = synthesise(EVERYTHING);
    for (const policy of ['ImageFunctionRole', 'WorkerRole', 'OperatorPolicy']) {
      const rights = rightsIn(full, policy);
      expect(Object.keys(rights)).not.toContain('*');
      expect(Object.values(rights).flat().join()).not.toContain('*');
    }
    for (const { Properties } of Object.values(full.findResources('AWS::IAM::Role'))) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });
});
