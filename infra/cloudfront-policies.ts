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
import { metadataHeader, VARIANT_METADATA } from '../src/protocol/metadata.ts';
import { COMMON_HEADERS } from '../src/protocol/problem.ts';
import type { Settings } from './settings.ts';

/** A variant's metadata except the cache tags, which CloudFront looks up when a purge names them. */
const PRIVATE_METADATA = Object.values(VARIANT_METADATA).filter((name) => name !== VARIANT_METADATA.cacheTag);

/** Creates the cache policy: only the path tells variants apart, since the edge function puts into it all that matters. */
export function createCachePolicy(scope: Construct): CachePolicy {
  return new CachePolicy(scope, 'CachePolicy', {
    comment: 'Variants by path; Cache-Control decides for how long',
    headerBehavior: CacheHeaderBehavior.none(),
    cookieBehavior: CacheCookieBehavior.none(),
    queryStringBehavior: CacheQueryStringBehavior.none(),
    // Images are already compressed.
    enableAcceptEncodingGzip: false,
    enableAcceptEncodingBrotli: false,
    // With a higher minimum CloudFront would also cache answers that say no-store.
    minTtl: Duration.seconds(0),
    defaultTtl: Duration.seconds(0),
    maxTtl: Duration.days(365),
  });
}

/** Creates the origin request policy: only `r` goes to the origins, the viewer's request target as the edge function passes it on. */
export function createOriginRequestPolicy(scope: Construct): OriginRequestPolicy {
  return new OriginRequestPolicy(scope, 'OriginRequestPolicy', {
    comment: 'Only the request target, from the edge function',
    headerBehavior: OriginRequestHeaderBehavior.none(),
    cookieBehavior: OriginRequestCookieBehavior.none(),
    queryStringBehavior: OriginRequestQueryStringBehavior.allowList('r'),
  });
}

/**
 * Creates the policy that gives S3's answers the headers of the function's.
 *
 * `Vary` replaces the origin's. S3 varies by `Origin`, which is not needed. The function's value is right for the URL that it was
 * asked for, but CloudFront caches the answer by variant, and serves it for other URLs that were negotiated to the same one.
 *
 * There is no CORS part: with one, CloudFront writes its own `Vary` instead of this one, and it accepts no `Access-Control-*` among
 * the custom headers. So `Access-Control-Allow-Origin` comes from the origins.
 */
export function createResponseHeadersPolicy(scope: Construct, settings: Settings): ResponseHeadersPolicy {
  const {
    'X-Content-Type-Options': _nosniff,
    'Access-Control-Allow-Origin': _fromOrigins,
    'Content-Security-Policy': contentSecurityPolicy,
    ...customHeaders
  } = COMMON_HEADERS;
  return new ResponseHeadersPolicy(scope, 'ResponseHeadersPolicy', {
    comment: 'Adds headers that S3 does not send, and removes metadata',
    securityHeadersBehavior: {
      contentTypeOptions: { override: true },
      contentSecurityPolicy: { contentSecurityPolicy, override: true },
    },
    customHeadersBehavior: {
      customHeaders: toCustomHeaders({ Vary: 'Accept, Save-Data', ...customHeaders }),
    },
    removeHeaders: headersToRemove(settings),
  });
}

/** Headers that CloudFront sets from settings of their own. As custom headers it refuses them, but only at deployment. */
const HEADERS_WITH_SETTINGS =
  /^(access-control-.+|content-security-policy|referrer-policy|strict-transport-security|x-content-type-options|x-frame-options|x-xss-protection)$/i;

/**
 * Returns custom headers as CDK takes them.
 *
 * @throws Error for a header that CloudFront does not accept as a custom one
 */
export function toCustomHeaders(
  headers: Readonly<Record<string, string>>,
): { header: string; value: string; override: true }[] {
  return Object.entries(headers).map(([header, value]) => {
    if (HEADERS_WITH_SETTINGS.test(header))
      throw new Error(
        `CloudFront takes ${header} from a setting, not as a custom header: handle it in createResponseHeadersPolicy, or in the bucket's CORS rule (infra/storage.ts) if it is a CORS header`,
      );
    return { header, value, override: true };
  });
}

/**
 * Returns the headers that S3 sends with a variant and that no viewer needs. CloudFront removes at most ten, and nine are metadata
 * that differs from image to image, so there is room for one of S3's own. With `variantDays` that is `x-amz-expiration`: about 80
 * bytes, different for each image, and sent only when a lifecycle rule deletes variants. The other is then left in place, because it
 * costs least and reveals nothing: `x-amz-server-side-encryption` is always `AES256`, as for every object in S3, and HTTP/2 and 3 send
 * a repeated header in one or two bytes.
 */
function headersToRemove({ variantDays }: Settings): string[] {
  return [
    ...PRIVATE_METADATA.map(metadataHeader),
    variantDays === undefined ? 'x-amz-server-side-encryption' : 'x-amz-expiration',
  ];
}
