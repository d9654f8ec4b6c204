import { Stack } from 'aws-cdk-lib';
import type { Distribution, KeyValueStore } from 'aws-cdk-lib/aws-cloudfront';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from './cdk-nag.ts';
import type { Queues } from './worker.ts';

/** What the commands (prewarm, status, purge, env) and the runbook work on. */
export interface OperatedResources extends Queues {
  readonly bucket: IBucket;
  readonly distribution: Distribution;
  readonly signingKeys: CfnSecret;
  /** Of the functions, and of containers. */
  readonly logGroups: readonly ILogGroup[];
}

/** Creates the policy for what operators do every day and in an incident, to be attached to their role or group. */
export function createOperatorPolicy(scope: Construct, resources: OperatedResources): ManagedPolicy {
  const { bucket, queue, deadLetters, distribution, signingKeys, logGroups } = resources;
  const allObjects = bucket.arnForObjects('*');
  const logs = logGroups.map(({ logGroupArn }) => logGroupArn);
  const policy = new ManagedPolicy(scope, 'OperatorPolicy', {
    // Never another text: it cannot be changed, so that CloudFormation would make a new policy, which no role of an operator has.
    description: `Prewarm, status, purge and keys of ${Stack.of(scope).stackName}`,
    statements: [
      statement(['s3:ListBucket'], bucket.bucketArn),
      statement(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], allObjects),
      statement(['sqs:SendMessage', 'sqs:GetQueueAttributes'], queue.queueArn),
      // SQS moves dead letters with the permissions of who asks for it: "Configuring queue permissions" in the SQS Developer Guide.
      statement(
        [
          ...['StartMessageMoveTask', 'ListMessageMoveTasks', 'CancelMessageMoveTask'],
          ...['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'],
        ].map((action) => `sqs:${action}`),
        deadLetters.queueArn,
      ),
      statement(
        ['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'],
        distribution.distributionArn,
      ),
      statement(
        ['FilterLogEvents', 'GetLogEvents', 'DescribeLogStreams'].map((action) => `logs:${action}`),
        ...logs,
      ),
      statement(['secretsmanager:GetSecretValue'], signingKeys.ref),
      describeThisStack(scope),
    ],
  });
  acknowledgeWildcard(policy, allObjects, 'The commands store and delete whole units, and write tombstones.');
  for (const arn of logs) acknowledgeWildcard(policy, arn, 'The streams of one log group.');
  acknowledgeThisStack(policy);
  return policy;
}

/** What `npm run keys` works on. */
export interface Keys {
  readonly keyValueStore: KeyValueStore;
  readonly signingKeys: CfnSecret;
}

/** Creates the policy for those who rotate and revoke signing keys, apart from the one for everyday work: who has it can sign anything. */
export function createKeyPolicy(scope: Construct, { keyValueStore, signingKeys }: Keys): ManagedPolicy {
  const policy = new ManagedPolicy(scope, 'KeyPolicy', {
    description: `Rotates and revokes the keys that image URLs of ${Stack.of(scope).stackName} are signed with`,
    statements: [
      statement(
        ['DescribeKeyValueStore', 'GetKey', 'PutKey'].map((action) => `cloudfront-keyvaluestore:${action}`),
        keyValueStore.keyValueStoreArn,
      ),
      statement(
        ['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
          (action) => `secretsmanager:${action}`,
        ),
        signingKeys.ref,
      ),
      describeThisStack(scope),
    ],
  });
  acknowledgeThisStack(policy);
  return policy;
}

/** Creates the policy for a program that signs URLs and does nothing else. */
export function createSignerPolicy(scope: Construct, signingKeys: CfnSecret): ManagedPolicy {
  return new ManagedPolicy(scope, 'SignerPolicy', {
    description: `Reads the keys that image URLs of ${Stack.of(scope).stackName} are signed with`,
    statements: [statement(['secretsmanager:GetSecretValue'], signingKeys.ref)],
  });
}

function statement(actions: string[], ...resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions, resources });
}

/** The commands read the outputs of the stack. */
function describeThisStack(scope: Construct): PolicyStatement {
  return statement(['cloudformation:DescribeStacks'], arnOfThisStack(scope));
}

function acknowledgeThisStack(policy: ManagedPolicy): void {
  acknowledgeWildcard(
    policy,
    arnOfThisStack(policy),
    'It is this one stack: its id is made when the stack is.',
  );
}

/** A call that names the stack is authorised by name: the id at the end of the ARN is not known yet. */
function arnOfThisStack(scope: Construct): string {
  const stack = Stack.of(scope);
  return stack.formatArn({
    service: 'cloudformation',
    resource: 'stack',
    resourceName: `${stack.stackName}/*`,
  });
}
