import { Stack } from 'aws-cdk-lib';
import type { Distribution, KeyValueStore } from 'aws-cdk-lib/aws-cloudfront';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledge.ts';

export interface Operated {
  readonly bucket: IBucket;
  readonly queue: Queue;
  readonly distribution: Distribution;
  readonly keyValueStore: KeyValueStore;
  readonly signingKeys: CfnSecret;
}

/** What the commands need of AWS, for whoever runs them: to be attached to a role or a group. */
export function createOperatorPolicy(scope: Construct, operated: Operated): ManagedPolicy {
  const { bucket, queue, distribution, keyValueStore, signingKeys } = operated;
  const stack = Stack.of(scope);
  // Whoever asks by name is let in by the name: the rest of the ARN is not known yet.
  const thisStack = stack.formatArn({
    service: 'cloudformation',
    resource: 'stack',
    resourceName: `${stack.stackName}/*`,
  });
  const everything = bucket.arnForObjects('*');
  const allow = (actions: string[], resource: string) =>
    new PolicyStatement({ actions, resources: [resource] });
  const policy = new ManagedPolicy(scope, 'OperatorPolicy', {
    description: `Prewarm, status, purge and keys of ${stack.stackName}`,
    statements: [
      allow(['s3:ListBucket'], bucket.bucketArn),
      allow(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], everything),
      allow(['sqs:SendMessage', 'sqs:GetQueueAttributes'], queue.queueArn),
      allow(['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'], distribution.distributionArn),
      allow(
        ['DescribeKeyValueStore', 'GetKey', 'PutKey'].map((action) => `cloudfront-keyvaluestore:${action}`),
        keyValueStore.keyValueStoreArn,
      ),
      allow(
        ['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
          (action) => `secretsmanager:${action}`,
        ),
        signingKeys.ref,
      ),
      allow(['cloudformation:DescribeStacks'], thisStack),
    ],
  });
  acknowledgeWildcard(policy, everything, 'The commands keep and delete all of a unit, and mark it.');
  acknowledgeWildcard(policy, thisStack, 'It is this one stack: the end of its ARN is made when it is.');
  return policy;
}

/** What a program needs that only signs URLs. */
export function createSignerPolicy(scope: Construct, signingKeys: CfnSecret): ManagedPolicy {
  return new ManagedPolicy(scope, 'SignerPolicy', {
    description: `Reads the keys that image URLs of ${Stack.of(scope).stackName} are signed with`,
    statements: [
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [signingKeys.ref] }),
    ],
  });
}
