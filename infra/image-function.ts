import { Duration } from 'aws-cdk-lib';
import {
  type Alias,
  type Code,
  type FunctionUrl,
  FunctionUrlAuthType,
  InvokeMode,
  type Function as LambdaFunction,
} from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { createLiveAlias } from './canary.ts';
import { allow, grantSourceHeaders, grantSources, grantStore } from './permissions.ts';
import { createServiceFunction } from './service-function.ts';
import type { Settings } from './settings.ts';

export interface ImageFunctionOptions {
  readonly code: Code;
  readonly bucket: IBucket;
  /** Receives a job when the function has deleted a variant after a purge, so that the worker invalidates it at the CDN. */
  readonly queue: Queue;
  readonly settings: Settings;
}

export interface ImageFunction {
  readonly imageFunction: LambdaFunction;
  /** What the function URL invokes. */
  readonly alias: Alias;
  readonly url: FunctionUrl;
}

/**
 * Creates the function that makes a variant on its first request, and its function URL. The distribution refers to both, so neither
 * may refer to the distribution: the function asks the worker for invalidations.
 */
export function createImageFunction(
  scope: Construct,
  { code, bucket, queue, settings }: ImageFunctionOptions,
): ImageFunction {
  const { fn: imageFunction, role } = createServiceFunction(scope, 'ImageFunction', {
    description: 'Makes an image on its first request',
    code,
    handler: 'lambda-image.handler',
    memoryMb: settings.imageMemoryMb,
    timeout: Duration.seconds(settings.imageTimeoutSeconds),
    reservedConcurrency: settings.imageReservedConcurrency,
    logRetentionDays: settings.logRetentionDays,
    collectorLayerArn: settings.collectorLayerArn,
    environment: {
      STORE: `s3://${bucket.bucketName}`,
      QUEUE: queue.queueUrl,
      ...settings.environment,
      CONCURRENCY: String(settings.imageConcurrency),
    },
  });
  grantStore(role, bucket);
  grantSources(role, settings.config.sourceAllow);
  grantSourceHeaders(role, settings.config.sourceHeaders);
  allow(role, ['sqs:SendMessage'], [queue.queueArn]);
  const alias = createLiveAlias(scope, imageFunction, settings.imageCanary);
  const url = alias.addFunctionUrl({
    authType: FunctionUrlAuthType.AWS_IAM,
    // A streamed answer has sent its status 200 by the time something fails.
    invokeMode: InvokeMode.BUFFERED,
  });
  return { imageFunction, alias, url };
}
