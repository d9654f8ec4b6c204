import { Annotations, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { createAlarms } from './alarms.ts';
import { createCode } from './code.ts';
import { createDashboard } from './dashboard.ts';
import { createDistribution } from './distribution.ts';
import { createEdge } from './edge.ts';
import { createImageFunction } from './image-function.ts';
import { createOperatorPolicy, createSignerPolicy } from './operators.ts';
import { createQueues } from './queues.ts';
import type { Settings } from './settings.ts';
import { createBucket } from './storage.ts';
import { createWorker } from './worker.ts';

/**
 * The whole service on AWS: CloudFront in front of a bucket and of the function that fills it, and the queue and the worker that
 * fill it beforehand.
 */
export class EdgepressStack extends Stack {
  /** @param settings - what has been read of the options; `stackName` in them is for whoever names the stack */
  constructor(scope: Construct, id: string, settings: Settings, props: StackProps = {}) {
    super(scope, id, { description: 'edgepress: compressed images on first request', ...props });
    for (const { about, text } of settings.warnings)
      Annotations.of(this).addWarningV2(`edgepress:${about}`, text);

    const code = createCode();
    const bucket = createBucket(this, settings);
    const { queue, deadLetters } = createQueues(this, settings);
    const signingKeys = createSigningKeys(this);
    const { edgeFunction, keyValueStore } = createEdge(this, settings.config.ladder);
    const { imageFunction, url } = createImageFunction(this, { code, bucket, queue, settings });
    const distribution = createDistribution(this, { bucket, url, edgeFunction, settings });
    const { distributionId, distributionArn } = distribution;
    const worker = createWorker(this, { code, bucket, queue, distributionId, distributionArn, settings });

    const watched = { imageFunction, worker, queue, deadLetters, distribution };
    const alarms = createAlarms(this, watched, settings);
    const dashboard = createDashboard(this, { ...watched, alarms, edgeFunction }, settings);
    const operated = { bucket, queue, distribution, keyValueStore, signingKeys };
    const operatorPolicy = createOperatorPolicy(this, operated);
    const signerPolicy = createSignerPolicy(this, signingKeys);

    const publicUrl = `https://${settings.domainNames[0] ?? distribution.distributionDomainName}`;
    const environment = {
      AWS_REGION: this.region,
      STORE: `s3://${bucket.bucketName}`,
      QUEUE: queue.queueUrl,
      CDN: `cloudfront:${distributionId}`,
      PUBLIC_URL: publicUrl,
      ...settings.variables,
    };
    createOutputs(this, {
      Environment: [this.toJsonString(environment), 'What the commands need, as JSON: see npm run env'],
      Url: [publicUrl, 'Where images are'],
      DistributionId: [distributionId, 'The CloudFront distribution'],
      BucketName: [bucket.bucketName, 'Where variants, manifests, records and purge marks are'],
      QueueUrl: [queue.queueUrl, 'Units to prewarm'],
      DeadLetterQueueUrl: [deadLetters.queueUrl, 'What failed five times'],
      KeyValueStoreArn: [keyValueStore.keyValueStoreArn, 'Signing keys, for the edge'],
      SigningKeysSecretArn: [signingKeys.ref, 'Signing keys, for whoever signs'],
      OperatorPolicyArn: [operatorPolicy.managedPolicyArn, 'For whoever runs the commands'],
      ImageLogGroup: [imageFunction.logGroup.logGroupName, 'The log of the image function'],
      WorkerLogGroup: [worker.logGroup.logGroupName, 'The log of the worker'],
      DashboardUrl: [urlOf(dashboard), 'Traffic, errors, the queue, outcomes'],
      SignerPolicyArn: [signerPolicy.managedPolicyArn, 'For programs that sign URLs, and do nothing else'],
    });
  }
}

/** Where signers find the keys. Nothing of them is ever in a template: the secret is made without a value. */
function createSigningKeys(scope: Construct): CfnSecret {
  const secret = new CfnSecret(scope, 'SigningKeys', {
    description: 'Keys that image URLs are signed with, id:hex,id:hex: the first one signs',
  });
  acknowledge(
    secret,
    'SMG4',
    'npm run keys -- rotate does, since URLs that are out in the world have to stay valid.',
  );
  return secret;
}

function urlOf(dashboard: Dashboard): string {
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
