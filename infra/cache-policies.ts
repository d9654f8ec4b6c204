import { Duration } from 'aws-cdk-lib';
import {
  CacheCookieBehavior,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  OriginRequestCookieBehavior,
  OriginRequestHeaderBehavior,
  OriginRequestPolicy,
  OriginRequestQueryStringBehavior,
  ResponseHeadersPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';

/** What S3 sends with a variant and no viewer needs: our metadata, and how S3 keeps it. At most 10, CloudFront's quota. */
const REMOVED_HEADERS = [
  ...[
    'began',
    'effort',
    'source-bytes',
    'source-type',
    'source-width',
    'source-height',
    'width',
    'height',
  ].map((name) => `x-amz-meta-${name}`),
  'x-amz-server-side-encryption',
  'x-amz-expiration',
];

/** The path alone tells variants apart: the edge function has put all that matters into it. */
export function createCachePolicy(scope: Construct): CachePolicy {
  return new CachePolicy(scope, 'CachePolicy', {
    comment: 'Variants by path; Cache-Control decides for how long',
    headerBehavior: CacheHeaderBehavior.none(),
    cookieBehavior: CacheCookieBehavior.none(),
    queryStringBehavior: CacheQueryStringBehavior.none(),
    // Images are compressed already.
    enableAcceptEncodingGzip: false,
    enableAcceptEncodingBrotli: false,
    // Any more would be kept of answers that say no-store.
    minTtl: Duration.seconds(0),
    defaultTtl: Duration.seconds(0),
    maxTtl: Duration.days(365),
  });
}

/** To the origins goes `r`, in which the edge function hands on what the viewer asked for. */
export function createOriginRequestPolicy(scope: Construct): OriginRequestPolicy {
  return new OriginRequestPolicy(scope, 'OriginRequestPolicy', {
    comment: 'Only what the edge function says',
    headerBehavior: OriginRequestHeaderBehavior.none(),
    cookieBehavior: OriginRequestCookieBehavior.none(),
    queryStringBehavior: OriginRequestQueryStringBehavior.allowList('r'),
  });
}

/**
 * Makes what S3 answers look like what the function does.
 *
 * `Vary` replaces what the origin says. S3 varies by `Origin`, which it need not. What the function says is true of the URL that it
 * was asked for, but CloudFront keeps the answer by variant, and gives it to other URLs that were negotiated.
 *
 * There is no CORS part: with one, CloudFront writes a `Vary` of its own instead of this one, and among the custom headers it takes
 * none of `Access-Control-*`. So that header comes from the origins.
 */
export function createResponseHeadersPolicy(scope: Construct): ResponseHeadersPolicy {
  return new ResponseHeadersPolicy(scope, 'ResponseHeadersPolicy', {
    comment: 'What S3 cannot say, without what no viewer needs',
    securityHeadersBehavior: {
      contentTypeOptions: { override: true },
      contentSecurityPolicy: { contentSecurityPolicy: "default-src 'none'", override: true },
    },
    customHeadersBehavior: {
      customHeaders: [
        { header: 'Vary', value: 'Accept, Save-Data', override: true },
        { header: 'Timing-Allow-Origin', value: '*', override: true },
      ],
    },
    removeHeaders: REMOVED_HEADERS,
  });
}
