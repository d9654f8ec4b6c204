import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { ALL_OPTIONS, synthesise } from '../support/infra/synthesise.ts';

const template = synthesise();

describe('the bucket', () => {
  it('is private and encrypted, and so is that of the access logs', () => {
    const buckets = Object.values(synthesise(ALL_OPTIONS).findResources('AWS::S3::Bucket'));
    expect(buckets).toHaveLength(2);
    for (const { Properties } of buckets) {
      expect(Properties).toMatchObject({
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
      });
    }
  });

  it('owns every object in it', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
  });

  it('answers over TLS only, and lets CloudFront read variants only', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          {
            Sid: 'DistributionReadsVariants',
            Effect: 'Allow',
            Principal: { Service: 'cloudfront.amazonaws.com' },
            Action: 's3:GetObject',
            Resource: ['avif', 'webp', 'jpeg'].map((format) => ({
              'Fn::Join': ['', [Match.anyValue(), `/v1/*.${format}`]],
            })),
            Condition: { StringEquals: { 'AWS:SourceArn': Match.anyValue() } },
          },
        ],
      },
    });
  });

  it('deletes tombstones after 16 days, leftovers of smoke tests and uploads after one, and variants only on request', () => {
    const always = [
      { Id: 'PurgeMarks', Prefix: 'purged/', ExpirationInDays: 16, Status: 'Enabled' },
      { Id: 'Smoke', Prefix: 'smoke/', ExpirationInDays: 1, Status: 'Enabled' },
      {
        Id: 'IncompleteUploads',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        Status: 'Enabled',
      },
    ];
    template.hasResourceProperties('AWS::S3::Bucket', { LifecycleConfiguration: { Rules: always } });
    const variants = { Id: 'Variants', Prefix: 'v1/', ExpirationInDays: 90, Status: 'Enabled' };
    synthesise(ALL_OPTIONS).hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: [...always, variants] },
    });
  });

  it('survives the stack unless deleteBucket is set', () => {
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'RetainExceptOnCreate' });
    synthesise({ deleteBucket: true }).hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  });
});
