import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { EVERYTHING, synthesise } from '../support/infra/synthesise.ts';

const template = synthesise();

describe('the bucket', () => {
  it('is private, encrypted, and its owner owns what is in it: the logs, too', () => {
    const buckets = Object.values(synthesise(EVERYTHING).findResources('AWS::S3::Bucket'));
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
    template.hasResourceProperties('AWS::S3::Bucket', {
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
  });

  it('answers over TLS alone, and CloudFront for variants alone', () => {
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

  it('forgets purge marks after 16 days and uploads that were given up, and variants only when told to', () => {
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
    synthesise(EVERYTHING).hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: [...always, variants] },
    });
  });

  it('stays when the stack goes, unless told otherwise', () => {
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'RetainExceptOnCreate' });
    synthesise({ deleteBucket: true }).hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  });
});

describe('signing keys', () => {
  it('are nowhere in the template', () => {
    const [secret] = Object.values(template.findResources('AWS::SecretsManager::Secret'));
    expect(Object.keys(secret?.['Properties'])).toEqual(['Description']);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/SIGNING_KEYS|SecretString|ADMIN_TOKEN/);
  });
});
