import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { EVERYTHING, synthesise } from '../support/infra/synthesise.ts';

const template = synthesise();

function only(type: string, from: Template = template): Record<string, unknown> {
  const [resource, ...more] = Object.values(from.findResources(type));
  expect(more).toEqual([]);
  return resource?.['Properties'] ?? {};
}

function distributionOf(from: Template): Record<string, unknown> {
  return only('AWS::CloudFront::Distribution', from)['DistributionConfig'] as Record<string, unknown>;
}

const [distributionId = ''] = Object.keys(template.findResources('AWS::CloudFront::Distribution'));
const thisDistribution = {
  'Fn::Join': ['', Match.arrayWith([':distribution/', { Ref: distributionId }])],
};

describe('the distribution', () => {
  const distribution = distributionOf(template);

  it('asks S3 first, and the function for what is not there or cannot be read', () => {
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

  it('signs what it asks both of', () => {
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

  it.each(['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'])('alone may %s', (action) => {
    const permissions = template.findResources('AWS::Lambda::Permission', {
      Properties: { Action: action, Principal: 'cloudfront.amazonaws.com', SourceArn: thisDistribution },
    });
    expect(Object.keys(permissions)).toHaveLength(1);
    template.resourceCountIs('AWS::Lambda::Permission', 3);
    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM', InvokeMode: 'BUFFERED' });
  });

  it('waits longer than the function may take', () => {
    const readTimeout = (from: Template) =>
      (distributionOf(from)['Origins'] as { CustomOriginConfig?: { OriginReadTimeout: number } }[])[1]
        ?.CustomOriginConfig?.OriginReadTimeout;
    expect(readTimeout(template)).toBe(50);
    expect(readTimeout(synthesise({ imageTimeoutSeconds: 60 }))).toBe(65);
  });

  it('finds the tags that purges name', () => {
    expect(distribution['CacheTagConfig']).toEqual({ HeaderName: 'x-amz-meta-cache-tag' });
  });

  it('takes GET and HEAD over HTTP/2 and 3, on IPv4 and 6', () => {
    expect(distribution).toMatchObject({
      HttpVersion: 'http2and3',
      IPV6Enabled: true,
      DefaultCacheBehavior: {
        AllowedMethods: ['GET', 'HEAD'],
        Compress: false,
        ViewerProtocolPolicy: 'redirect-to-https',
      },
    });
  });

  it('leaves to the function for how long an error is kept', () => {
    const responses = distribution['CustomErrorResponses'] as {
      ErrorCode: number;
      ErrorCachingMinTTL: number;
    }[];
    expect(responses.map(({ ErrorCode }) => ErrorCode)).toEqual([
      400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504,
    ]);
    expect(responses.every(({ ErrorCachingMinTTL }) => ErrorCachingMinTTL === 0)).toBe(true);
  });

  it('runs the edge function on each request, with a store for its keys that is empty', () => {
    const [storeId] = Object.keys(template.findResources('AWS::CloudFront::KeyValueStore'));
    expect(only('AWS::CloudFront::KeyValueStore')['ImportSource']).toBeUndefined();
    const [edgeId] = Object.keys(template.findResources('AWS::CloudFront::Function'));
    expect(only('AWS::CloudFront::Function')).toMatchObject({
      AutoPublish: true,
      FunctionConfig: {
        Runtime: 'cloudfront-js-2.0',
        KeyValueStoreAssociations: [{ KeyValueStoreARN: { 'Fn::GetAtt': [storeId, 'Arn'] } }],
      },
    });
    expect(distribution['DefaultCacheBehavior']).toMatchObject({
      FunctionAssociations: [
        { EventType: 'viewer-request', FunctionARN: { 'Fn::GetAtt': [edgeId, 'FunctionARN'] } },
      ],
    });
  });

  it('bakes the ladder into the edge function', () => {
    const code = only('AWS::CloudFront::Function', synthesise({ widths: [317, 641] }))['FunctionCode'];
    expect(code).toMatch(/317\s*,\s*641/);
  });
});

describe('the cache', () => {
  it('tells variants apart by their path alone, and never keeps one longer than it may', () => {
    expect(only('AWS::CloudFront::CachePolicy')['CachePolicyConfig']).toMatchObject({
      MinTTL: 0,
      DefaultTTL: 0,
      MaxTTL: 31_536_000,
      ParametersInCacheKeyAndForwardedToOrigin: {
        CookiesConfig: { CookieBehavior: 'none' },
        HeadersConfig: { HeaderBehavior: 'none' },
        QueryStringsConfig: { QueryStringBehavior: 'none' },
        EnableAcceptEncodingBrotli: false,
        EnableAcceptEncodingGzip: false,
      },
    });
  });

  it('hands on what the edge function says, and nothing else', () => {
    expect(only('AWS::CloudFront::OriginRequestPolicy')['OriginRequestPolicyConfig']).toMatchObject({
      CookiesConfig: { CookieBehavior: 'none' },
      HeadersConfig: { HeaderBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'whitelist', QueryStrings: ['r'] },
    });
  });
});

describe('answers to viewers', () => {
  const policy = only('AWS::CloudFront::ResponseHeadersPolicy')['ResponseHeadersPolicyConfig'] as Record<
    string,
    unknown
  >;

  it('say what S3 cannot', () => {
    expect(policy).toMatchObject({
      CustomHeadersConfig: {
        Items: [
          { Header: 'Vary', Override: true, Value: 'Accept, Save-Data' },
          { Header: 'Timing-Allow-Origin', Override: true, Value: '*' },
        ],
      },
      SecurityHeadersConfig: {
        ContentSecurityPolicy: { ContentSecurityPolicy: "default-src 'none'", Override: true },
        ContentTypeOptions: { Override: true },
      },
    });
  });

  it('may be used by pages of any origin, without a CORS part, which would replace Vary', () => {
    expect(policy['CorsConfig']).toBeUndefined();
    template.hasResourceProperties('AWS::S3::Bucket', {
      CorsConfiguration: { CorsRules: [{ AllowedMethods: ['GET', 'HEAD'], AllowedOrigins: ['*'] }] },
    });
    expect(distributionOf(template)).toMatchObject({
      Origins: [{ OriginCustomHeaders: [{ HeaderName: 'Origin', HeaderValue: expect.any(String) }] }, {}],
    });
  });

  it('carry none of the metadata that no viewer needs, within the ten that CloudFront removes, but the tags', () => {
    const { Items } = policy['RemoveHeadersConfig'] as { Items: { Header: string }[] };
    const names = Items.map(({ Header }) => Header);
    const metadata = [
      'began',
      'effort',
      'source-bytes',
      'source-type',
      'source-width',
      'source-height',
      'width',
      'height',
    ];
    expect(names).toEqual(expect.arrayContaining(metadata.map((name) => `x-amz-meta-${name}`)));
    expect(names).toContain('x-amz-server-side-encryption');
    expect(names).not.toContain('x-amz-meta-cache-tag');
    expect(names.length).toBeLessThanOrEqual(10);
  });
});

describe('the distribution with every option', () => {
  const template = synthesise(EVERYTHING);
  const distribution = distributionOf(template);

  it('has its names, on TLS 1.2 or later', () => {
    expect(distribution).toMatchObject({
      Aliases: EVERYTHING.domainNames,
      ViewerCertificate: {
        AcmCertificateArn: EVERYTHING.certificateArn,
        MinimumProtocolVersion: 'TLSv1.2_2021',
        SslSupportMethod: 'sni-only',
      },
    });
  });

  it('has its web ACL, and Origin Shield in front of both origins', () => {
    const shield = { OriginShield: { Enabled: true, OriginShieldRegion: 'eu-west-1' } };
    expect(distribution).toMatchObject({ WebACLId: EVERYTHING.webAclArn, Origins: [shield, shield] });
  });

  it('logs into a private bucket that forgets, and measures more', () => {
    const [logs] = Object.keys(
      template.findResources('AWS::S3::Bucket', {
        Properties: { LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90 }] } },
      }),
    );
    expect(distribution).toMatchObject({
      Logging: { Bucket: { 'Fn::GetAtt': [logs, 'RegionalDomainName'] }, IncludeCookies: false },
    });
    template.resourceCountIs('AWS::CloudFront::MonitoringSubscription', 1);
  });
});
