import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  HttpMethods,
  type IBucket,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { FORMATS } from '../src/protocol/request.ts';
import { acknowledge } from './acknowledge.ts';
import type { Settings } from './settings.ts';

/** A day more than the service itself keeps a mark, which is a day more than a message lives: this is for when no sweep came by. */
const PURGE_MARK_DAYS = 16;

/** The bucket in which all is kept: private, and read by CloudFront and the functions alone. */
export function createBucket(scope: Construct, { variantDays, deleteBucket }: Settings): IBucket {
  const lifecycleRules: LifecycleRule[] = [
    { id: 'PurgeMarks', prefix: 'purged/', expiration: Duration.days(PURGE_MARK_DAYS) },
    // Left by an `npm run smoke` that was killed.
    { id: 'Smoke', prefix: 'smoke/', expiration: Duration.days(1) },
    { id: 'IncompleteUploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
  ];
  if (variantDays !== undefined)
    lifecycleRules.push({ id: 'Variants', prefix: 'v1/', expiration: Duration.days(variantDays) });
  const bucket = new Bucket(scope, 'Bucket', {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    lifecycleRules,
    // For CloudFront, which asks as a page of another origin would (distribution.ts), and for pages that are sent here with a
    // picture too large for Lambda to answer.
    cors: [{ allowedMethods: [HttpMethods.GET, HttpMethods.HEAD], allowedOrigins: ['*'] }],
    removalPolicy: deleteBucket ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
  acknowledge(bucket, 'S1', 'CloudFront and our own functions alone may read it: their logs say who did.');
  return asPort(bucket);
}

/** Lets one distribution read variants, and not what lies beside them: manifests and records name the clients' URLs. */
export function allowDistribution(bucket: IBucket, distributionArn: string): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'DistributionReadsVariants',
      principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
      actions: ['s3:GetObject'],
      resources: FORMATS.map((format) => bucket.arnForObjects(`v1/*.${format}`)),
      conditions: { StringEquals: { 'AWS:SourceArn': distributionArn } },
    }),
  );
}

/** Where CloudFront writes down each request. */
export function createLogBucket(scope: Construct, accessLogDays: number): IBucket {
  const bucket = new Bucket(scope, 'AccessLogs', {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    // CloudFront hands its logs over by ACL.
    objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
    enforceSSL: true,
    lifecycleRules: [{ expiration: Duration.days(accessLogDays) }],
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
  acknowledge(bucket, 'S1', 'It is the log; who reads it is CloudTrail to say.');
  return asPort(bucket);
}

/** CDK is not compiled with `exactOptionalPropertyTypes`, under which its class no longer fits its interface. */
function asPort(bucket: Bucket): IBucket {
  return bucket as IBucket;
}
