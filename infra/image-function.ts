import { Duration } from 'aws-cdk-lib';
import {
  type Code,
  type FunctionUrl,
  FunctionUrlAuthType,
  InvokeMode,
  type Function as LambdaFunction,
} from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { allow, grantSources, grantStore } from './permissions.ts';
import { createServiceFunction } from './service-function.ts';
import type { Settings } from './settings.ts';

export interface ImageFunctionOptions {
  readonly code: Code;
  readonly bucket: IBucket;
  /** It is told of what was taken back late, so that the CDN forgets it. */
  readonly queue: Queue;
  readonly settings: Settings;
}

/**
 * The function that makes a variant that is not there, and its URL. Neither may name the distribution, which names them: what it
 * wants of the CDN it asks the worker for.
 */
export function createImageFunction(
  scope: Construct,
  { code, bucket, queue, settings }: ImageFunctionOptions,
): { imageFunction: LambdaFunction; url: FunctionUrl } {
  const { fn: imageFunction, role } = createServiceFunction(scope, 'ImageFunction', {
    description: 'Makes an image on its first request',
    code,
    handler: 'lambda-image.handler',
    memoryMb: settings.imageMemoryMb,
    timeout: Duration.seconds(settings.imageTimeoutSeconds),
    reservedConcurrency: settings.imageReservedConcurrency,
    logRetentionDays: settings.logRetentionDays,
    environment: {
      STORE: `s3://${bucket.bucketName}`,
      QUEUE: queue.queueUrl,
      ...settings.variables,
      CONCURRENCY: String(settings.imageConcurrency),
    },
  });
  grantStore(role, bucket);
  grantSources(role, settings.config.sourceAllow);
  allow(role, ['sqs:SendMessage'], [queue.queueArn]);
  const url = imageFunction.addFunctionUrl({
    authType: FunctionUrlAuthType.AWS_IAM,
    // A stream that fails has already said 200.
    invokeMode: InvokeMode.BUFFERED,
  });
  return { imageFunction, url };
}
