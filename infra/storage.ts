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
import { SMOKE_PREFIX, TOMBSTONE_PREFIX, VARIANT_PREFIX } from '../src/protocol/keys.ts';
import { EXPOSED_HEADERS } from '../src/protocol/problem.ts';
import { FORMATS } from '../src/protocol/request.ts';
import { acknowledge } from './cdk-nag.ts';
import type { Settings } from './settings.ts';

/**
 * One day longer than the sweep keeps a tombstone, which in turn is one day longer than SQS keeps a message. This rule only matters
 * where no sweep ran.
 */
const TOMBSTONE_DAYS = 16;

/** Creates the store's bucket: private, readable by CloudFront and the functions alone. */
export function createBucket(scope: Construct, { variantDays, deleteBucket }: Settings): IBucket {
  const lifecycleRules: LifecycleRule[] = [
    { id: 'PurgeMarks', prefix: `${TOMBSTONE_PREFIX}/`, expiration: Duration.days(TOMBSTONE_DAYS) },
    // Left over when `npm run smoke` is killed.
    { id: 'Smoke', prefix: `${SMOKE_PREFIX}/`, expiration: Duration.days(1) },
    { id: 'IncompleteUploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
  ];
  if (variantDays !== undefined)
    lifecycleRules.push({
      id: 'Variants',
      prefix: `${VARIANT_PREFIX}/`,
      expiration: Duration.days(variantDays),
    });
  const bucket = new Bucket(scope, 'Bucket', {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    lifecycleRules,
    // For CloudFront, which sends an Origin header (distribution.ts), and for pages that are redirected here for a variant that is
    // too large for Lambda's answer.
    cors: [
      {
        allowedMethods: [HttpMethods.GET, HttpMethods.HEAD],
        allowedOrigins: ['*'],
        exposedHeaders: [...EXPOSED_HEADERS],
      },
    ],
    removalPolicy: deleteBucket ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
  acknowledge(bucket, 'S1', 'Only CloudFront and our own functions may read it, and their logs record it.');
  return asInterface(bucket);
}

/** Lets the distribution read variants, and neither manifests nor source records, which contain the clients' URLs. */
export function allowDistribution(bucket: IBucket, distributionArn: string): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'DistributionReadsVariants',
      principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
      actions: ['s3:GetObject'],
      resources: FORMATS.map((format) => bucket.arnForObjects(`${VARIANT_PREFIX}/*.${format}`)),
      conditions: { StringEquals: { 'AWS:SourceArn': distributionArn } },
    }),
  );
}

/** Creates the bucket into which CloudFront logs each request. */
export function createLogBucket(scope: Construct, accessLogDays: number): IBucket {
  const bucket = new Bucket(scope, 'AccessLogs', {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    // CloudFront delivers its logs with an ACL.
    objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
    enforceSSL: true,
    lifecycleRules: [{ expiration: Duration.days(accessLogDays) }],
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
  acknowledge(bucket, 'S1', 'It is the access log itself; CloudTrail can record who reads it.');
  return asInterface(bucket);
}

/** CDK is compiled without `exactOptionalPropertyTypes`, under which its class does not match its own interface. */
function asInterface(bucket: Bucket): IBucket {
  return bucket as IBucket;
}
