import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { onlyResource } from '../support/infra/resources.ts';
import { ALL_OPTIONS, synthesise } from '../support/infra/synthesise.ts';

const template = synthesise();

function distributionOf(from: Template): Record<string, unknown> {
  return onlyResource(from, 'AWS::CloudFront::Distribution')['DistributionConfig'] as Record<string, unknown>;
}

const [distributionId = ''] = Object.keys(template.findResources('AWS::CloudFront::Distribution'));
const thisDistribution = {
  'Fn::Join': ['', Match.arrayWith([':distribution/', { Ref: distributionId }])],
};

describe('the distribution', () => {
  const distribution = distributionOf(template);

  it('asks S3 first, and the function when S3 lacks the variant or fails', () => {
    const [bucket, fn] = distribution['Origins'] as Record<string, unknown>[];
    expect(bucket).toMatchObject({ S3OriginConfig: {}, OriginAccessControlId: {} });
    expect(fn).toMatchObject({
      CustomOriginConfig: { OriginProtocolPolicy: 'https-only' },
      OriginAccessControlId: {},
    });
    expect(distribution).toMatchObject({
      OriginGroups: {
        Items: [
          {
            FailoverCriteria: { StatusCodes: { Items: [400, 403, 404, 500, 502, 503, 504], Quantity: 7 } },
            Members: { Items: [{ OriginId: bucket?.['Id'] }, { OriginId: fn?.['Id'] }] },
          },
        ],
      },
    });
  });

  it('signs its requests to both origins', () => {
    for (const type of ['s3', 'lambda']) {
      template.hasResourceProperties('AWS::CloudFront::OriginAccessControl', {
        OriginAccessControlConfig: {
          OriginAccessControlOriginType: type,
          SigningBehavior: 'always',
          SigningProtocol: 'sigv4',
        },
      });
    }
  });

  it.each(['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'])(
    'is the only caller with the permission %s',
    (action) => {
      const [alias] = Object.keys(template.findResources('AWS::Lambda::Alias'));
      const permissions = template.findResources('AWS::Lambda::Permission', {
        Properties: {
          ...{ Action: action, Principal: 'cloudfront.amazonaws.com', SourceArn: thisDistribution },
          FunctionName: { Ref: alias },
        },
      });
      expect(Object.keys(permissions)).toHaveLength(1);
      template.resourceCountIs('AWS::Lambda::Permission', 3);
      template.hasResourceProperties('AWS::Lambda::Url', {
        ...{ AuthType: 'AWS_IAM', InvokeMode: 'BUFFERED', Qualifier: 'live' },
      });
    },
  );

  it('waits for an answer five seconds longer than the timeout of the function', () => {
    const readTimeout = (from: Template) =>
      (distributionOf(from)['Origins'] as { CustomOriginConfig?: { OriginReadTimeout: number } }[])[1]
        ?.CustomOriginConfig?.OriginReadTimeout;
    expect(readTimeout(template)).toBe(50);
    expect(readTimeout(synthesise({ imageTimeoutSeconds: 60 }))).toBe(65);
  });

  it('waits for S3 for four seconds, and then asks the function', () => {
    const [s3, fn] = distribution['Origins'] as Record<string, unknown>[];
    expect(s3).toMatchObject({
      ConnectionAttempts: 2,
      ConnectionTimeout: 2,
      S3OriginConfig: { OriginAccessIdentity: '', OriginReadTimeout: 2 },
    });
    expect(fn).not.toHaveProperty('S3OriginConfig');
  });

  it('reads cache tags from the metadata of variants', () => {
    expect(distribution['CacheTagConfig']).toEqual({ HeaderName: 'x-amz-meta-cache-tag' });
  });

  it('takes GET, HEAD and CORS preflights over HTTP/2 and HTTP/3, and over IPv4 and IPv6', () => {
    expect(distribution).toMatchObject({
      HttpVersion: 'http2and3',
      IPV6Enabled: true,
      DefaultCacheBehavior: {
        AllowedMethods: ['GET', 'HEAD', 'OPTIONS'],
        Compress: false,
        ViewerProtocolPolicy: 'redirect-to-https',
      },
    });
  });

  it('caches no error longer than the origin says', () => {
    const responses = distribution['CustomErrorResponses'] as {
      ErrorCode: number;
      ErrorCachingMinTTL: number;
    }[];
    expect(responses.map(({ ErrorCode }) => ErrorCode)).toEqual([
      400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504,
    ]);
    expect(responses.every(({ ErrorCachingMinTTL }) => ErrorCachingMinTTL === 0)).toBe(true);
  });
});

describe('the distribution with every option', () => {
  const template = synthesise(ALL_OPTIONS);
  const distribution = distributionOf(template);

  it('has its domain names, on TLS 1.2 or later', () => {
    expect(distribution).toMatchObject({
      Aliases: ALL_OPTIONS.domainNames,
      ViewerCertificate: {
        AcmCertificateArn: ALL_OPTIONS.certificateArn,
        MinimumProtocolVersion: 'TLSv1.2_2021',
        SslSupportMethod: 'sni-only',
      },
    });
  });

  it('has its web ACL, and Origin Shield in front of both origins', () => {
    const shield = { OriginShield: { Enabled: true, OriginShieldRegion: 'eu-west-1' } };
    expect(distribution).toMatchObject({ WebACLId: ALL_OPTIONS.webAclArn, Origins: [shield, shield] });
  });

  it('writes access logs into a bucket of their own, which expire', () => {
    const [logs] = Object.keys(
      template.findResources('AWS::S3::Bucket', {
        Properties: { LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90 }] } },
      }),
    );
    expect(distribution).toMatchObject({
      Logging: { Bucket: { 'Fn::GetAtt': [logs, 'RegionalDomainName'] }, IncludeCookies: false },
    });
  });

  it('has the additional metrics', () => {
    template.resourceCountIs('AWS::CloudFront::MonitoringSubscription', 1);
  });
});
