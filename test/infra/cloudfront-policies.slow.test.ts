import { describe, expect, it } from 'vitest';
import { toCustomHeaders } from '../../infra/cloudfront-policies.ts';
import { COMMON_HEADERS, EXPOSED_HEADERS } from '../../src/protocol/problem.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { onlyResource } from '../support/infra/resources.ts';
import { ALL_OPTIONS, synthesise } from '../support/infra/synthesise.ts';
import { setUpUnits } from '../support/unit/set-up-units.ts';

const template = synthesise();

describe('the cache policy', () => {
  const policy = onlyResource(template, 'AWS::CloudFront::CachePolicy')['CachePolicyConfig'];

  it('caches by path alone', () => {
    expect(policy).toMatchObject({
      ParametersInCacheKeyAndForwardedToOrigin: {
        CookiesConfig: { CookieBehavior: 'none' },
        HeadersConfig: { HeaderBehavior: 'none' },
        QueryStringsConfig: { QueryStringBehavior: 'none' },
        EnableAcceptEncodingBrotli: false,
        EnableAcceptEncodingGzip: false,
      },
    });
  });

  it('leaves it to Cache-Control how long an answer is cached', () => {
    expect(policy).toMatchObject({ MinTTL: 0, DefaultTTL: 0, MaxTTL: 31_536_000 });
  });
});

describe('the origin request policy', () => {
  it('sends the request target of the viewer to the origins, and nothing else', () => {
    const policy = onlyResource(template, 'AWS::CloudFront::OriginRequestPolicy');
    expect(policy['OriginRequestPolicyConfig']).toMatchObject({
      CookiesConfig: { CookieBehavior: 'none' },
      HeadersConfig: { HeaderBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'whitelist', QueryStrings: ['r'] },
    });
  });
});

describe('the response headers policy', () => {
  const policyOf = (from = template) =>
    onlyResource(from, 'AWS::CloudFront::ResponseHeadersPolicy')['ResponseHeadersPolicyConfig'] as {
      CorsConfig?: unknown;
      CustomHeadersConfig: { Items: { Header: string; Value: string; Override: boolean }[] };
      RemoveHeadersConfig: { Items: { Header: string }[] };
    };
  const removedFrom = (from = template) =>
    policyOf(from).RemoveHeadersConfig.Items.map(({ Header }) => Header);

  it('adds the headers that S3 does not send', () => {
    expect(policyOf()).toMatchObject({
      CustomHeadersConfig: {
        Items: [
          { Header: 'Vary', Override: true, Value: 'Accept, Save-Data' },
          { Header: 'Cross-Origin-Resource-Policy', Override: true, Value: 'cross-origin' },
          { Header: 'Timing-Allow-Origin', Override: true, Value: '*' },
        ],
      },
      SecurityHeadersConfig: {
        ContentSecurityPolicy: { ContentSecurityPolicy: "default-src 'none'", Override: true },
        ContentTypeOptions: { Override: true },
      },
    });
  });

  it('adds every header that all answers of the service have, except the CORS header', () => {
    const added = policyOf().CustomHeadersConfig.Items.map(({ Header }) => Header);
    const security = ['X-Content-Type-Options', 'Content-Security-Policy'];
    expect(new Set([...security, ...added, 'Access-Control-Allow-Origin'])).toEqual(
      new Set(['Vary', ...Object.keys(COMMON_HEADERS)]),
    );
  });

  it('is not synthesised with a custom header that CloudFront would refuse at deployment', () => {
    expect(() => toCustomHeaders({ 'Access-Control-Expose-Headers': 'ETag' })).toThrow(
      /Access-Control-Expose-Headers/,
    );
    expect(() => toCustomHeaders({ 'Referrer-Policy': 'no-referrer' })).toThrow(/Referrer-Policy/);
  });

  it('has no CORS part, which would replace Vary, since S3 sends the CORS header itself', () => {
    expect(policyOf().CorsConfig).toBeUndefined();
    template.hasResourceProperties('AWS::S3::Bucket', {
      CorsConfiguration: {
        CorsRules: [
          { AllowedMethods: ['GET', 'HEAD'], AllowedOrigins: ['*'], ExposedHeaders: [...EXPOSED_HEADERS] },
        ],
      },
    });
    expect(onlyResource(template, 'AWS::CloudFront::Distribution')['DistributionConfig']).toMatchObject({
      Origins: [{ OriginCustomHeaders: [{ HeaderName: 'Origin', HeaderValue: expect.any(String) }] }, {}],
    });
  });

  it.each([
    ['without options', template],
    ['with every option', synthesise(ALL_OPTIONS)],
  ])('removes all metadata that variants are stored with, except the cache tags, %s', async (_, from) => {
    const metadata = await storedMetadata();
    expect(metadata).toContain('cache-tag');
    const removed = removedFrom(from).filter((header) => header.startsWith('x-amz-meta-'));
    expect(new Set(removed)).toEqual(
      new Set(metadata.filter((name) => name !== 'cache-tag').map((name) => `x-amz-meta-${name}`)),
    );
  });

  it('removes no more than the ten headers that CloudFront allows', () => {
    expect(removedFrom().length).toBeLessThanOrEqual(10);
    expect(removedFrom(synthesise(ALL_OPTIONS)).length).toBeLessThanOrEqual(10);
  });

  it('removes the header of the encryption while variants do not expire', () => {
    expect(removedFrom()).toContain('x-amz-server-side-encryption');
  });

  it('removes the header of the expiry instead once variants expire', () => {
    const removed = removedFrom(synthesise({ variantDays: 90 }));
    expect(removed).toContain('x-amz-expiration');
    expect(removed).not.toContain('x-amz-server-side-encryption');
  });
});

/** Makes a variant under a byte budget, with which it has all metadata that there is, and returns the names of it. */
async function storedMetadata(): Promise<string[]> {
  const { prewarm, service, src, unit } = await setUpUnits();
  const { outcomes } = await prewarm(unit([src('/a.jpg')], { formats: ['webp'], maxBytes: 1_000_000 }));
  expect(outcomes).toMatchObject([{ state: 'ready' }]);
  const store = createFileStore({ root: service.folder });
  const names: string[] = [];
  for await (const { key } of store.list('v1')) {
    if (key.endsWith('.webp')) names.push(...Object.keys((await store.head(key))?.metadata ?? {}));
  }
  return names;
}
