import { Annotations, CfnOutput, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import type { Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { createAlarms } from './alarms.ts';
import { createDashboard } from './dashboard.ts';
import { createDistribution } from './distribution.ts';
import { createEdgeFunction, createSigningKeys } from './edge-function.ts';
import { createFargateWorkers } from './fargate-workers.ts';
import { createImageFunction } from './image-function.ts';
import { createKeyPolicy, createOperatorPolicy, createSignerPolicy } from './operator-policies.ts';
import { runbookOutputs } from './runbook.ts';
import { createCode } from './service-function.ts';
import type { Settings } from './settings.ts';
import { createBucket } from './storage.ts';
import { createQueues, createWorker } from './worker.ts';

/**
 * The whole service on AWS: CloudFront in front of a bucket and of the function that fills it on a first request, and a queue with a
 * worker that fills it in advance.
 */
export class EdgepressStack extends Stack {
  /** Of the region in which the stack is deployed. CDK would ask AWS for them, and keep the answer in a file. */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs()));
  }

  /** @param settings - from `readSettings`; the stack's name is `id`, and `settings.stackName` is for the caller */
  constructor(scope: Construct, id: string, settings: Settings, props: StackProps = {}) {
    super(scope, id, { description: 'edgepress: compressed images on first request', ...props });
    for (const { option, text } of settings.warnings)
      Annotations.of(this).addWarningV2(`edgepress:${option}`, text);

    const code = createCode();
    const bucket = createBucket(this, settings);
    const { queue, deadLetters } = createQueues(this, settings);
    const signingKeys = createSigningKeys(this);
    const { edgeFunction, keyValueStore } = createEdgeFunction(this, settings.config);
    const { imageFunction, alias, url } = createImageFunction(this, { code, bucket, queue, settings });
    const distribution = createDistribution(this, { bucket, alias, url, edgeFunction, settings });
    const { distributionId, distributionArn } = distribution;
    const worker = createWorker(this, { code, bucket, queue, distributionId, distributionArn, settings });

    const { fargateMaxTasks } = settings;
    const containers =
      fargateMaxTasks === undefined
        ? undefined
        : createFargateWorkers(this, {
            ...{ bucket, queue, distributionId, distributionArn, settings },
            maxTasks: fargateMaxTasks,
          });

    const monitored = { imageFunction, worker, queue, deadLetters, distribution };
    const alarms = createAlarms(this, monitored, settings);
    const dashboard = createDashboard(this, { ...monitored, alarms, edgeFunction, containers }, settings);
    const containerLogs = containers?.logGroup;
    const [imageLogs, workerLogs] = [imageFunction.logGroup, worker.logGroup];
    const logGroups = [imageLogs, workerLogs, ...(containerLogs ? [containerLogs] : [])];
    const operated = { bucket, queue, deadLetters, distribution, signingKeys, logGroups };
    const operatorPolicy = createOperatorPolicy(this, operated);
    const keyPolicy = createKeyPolicy(this, { keyValueStore, signingKeys });
    const signerPolicy = createSignerPolicy(this, signingKeys);

    const publicUrl = `https://${settings.domainNames[0] ?? distribution.distributionDomainName}`;
    const environment = {
      AWS_REGION: this.region,
      STORE: `s3://${bucket.bucketName}`,
      QUEUE: queue.queueUrl,
      CDN: `cloudfront:${distributionId}`,
      PUBLIC_URL: publicUrl,
      ...settings.environment,
    };
    createOutputs(this, {
      Environment: [
        this.toJsonString(environment),
        'The environment of the commands, as JSON: see npm run env',
      ],
      Url: [publicUrl, 'The base URL of images'],
      DistributionId: [distributionId, 'The CloudFront distribution'],
      BucketName: [bucket.bucketName, 'The store: variants, manifests, source records and tombstones'],
      QueueUrl: [queue.queueUrl, 'Units to prewarm'],
      DeadLetterQueueUrl: [deadLetters.queueUrl, 'Messages that failed five times'],
      KeyValueStoreArn: [keyValueStore.keyValueStoreArn, 'Signing keys, as the edge function reads them'],
      SigningKeysSecretArn: [signingKeys.ref, 'Signing keys, for programs that sign URLs'],
      OperatorPolicyArn: [
        operatorPolicy.managedPolicyArn,
        'For the role or group of an operator, who runs the commands and the runbook',
      ],
      KeyPolicyArn: [keyPolicy.managedPolicyArn, 'For those who also rotate and revoke signing keys'],
      ImageLogGroup: [imageLogs.logGroupName, 'The log of the image function'],
      WorkerLogGroup: [workerLogs.logGroupName, 'The log of the worker'],
      DashboardUrl: [consoleUrl(dashboard), 'The dashboard: traffic, errors, the queue, outcomes'],
      SignerPolicyArn: [signerPolicy.managedPolicyArn, 'For programs that sign URLs and do nothing else'],
      ...runbookOutputs(this, { imageLogs, workerLogs, containerLogs, deadLetters, distributionId }),
    });
  }
}

function consoleUrl(dashboard: Dashboard): string {
  const { region } = Stack.of(dashboard);
  return `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboard.dashboardName}`;
}

function createOutputs(
  scope: Construct,
  outputs: Record<string, [value: string, description: string]>,
): void {
  for (const [name, [value, description]] of Object.entries(outputs)) {
    new CfnOutput(scope, name, { value, description });
  }
}
