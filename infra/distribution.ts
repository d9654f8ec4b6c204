import { Duration } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachedMethods,
  type CfnDistribution,
  Distribution,
  type DistributionProps,
  type Function as EdgeFunction,
  FunctionEventType,
  HttpVersion,
  PriceClass,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { FunctionUrlOrigin, OriginGroup, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { FunctionUrl } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import {
  createCachePolicy,
  createOriginRequestPolicy,
  createResponseHeadersPolicy,
} from './cache-policies.ts';
import type { Settings } from './settings.ts';
import { allowDistribution, createLogBucket } from './storage.ts';

export interface DistributionOptions {
  readonly bucket: IBucket;
  readonly url: FunctionUrl;
  readonly edgeFunction: EdgeFunction;
  readonly settings: Settings;
}

/**
 * On these of S3's the function is asked: for what is not there (403 too, to whoever may not list), when S3 has a bad time, and when
 * a request is too long for it (400): with what is signed of it, the longest that the edge lets through may be.
 */
const FALLBACK_CODES = [400, 403, 404, 500, 502, 503, 504];
/** All that CloudFront would otherwise keep for ten seconds, whatever the origin says. */
const ERROR_CODES = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];
/** CloudFront gives up after the function does, or it would ask again for what already takes too long. */
const READ_TIMEOUT_MARGIN_SECONDS = 5;
const PRICE_CLASSES = {
  all: PriceClass.PRICE_CLASS_ALL,
  '200': PriceClass.PRICE_CLASS_200,
  '100': PriceClass.PRICE_CLASS_100,
} as const;

/** What viewers talk to: the edge function, then CloudFront's caches, then the bucket, and only then the image function. */
export function createDistribution(scope: Construct, options: DistributionOptions): Distribution {
  const { bucket, edgeFunction, settings } = options;
  const distribution = new Distribution(scope, 'Distribution', {
    comment: 'Compressed images',
    defaultBehavior: {
      origin: createOrigins(scope, options),
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
      cachedMethods: CachedMethods.CACHE_GET_HEAD,
      compress: false,
      cachePolicy: createCachePolicy(scope),
      originRequestPolicy: createOriginRequestPolicy(scope),
      responseHeadersPolicy: createResponseHeadersPolicy(scope),
      functionAssociations: [{ function: edgeFunction, eventType: FunctionEventType.VIEWER_REQUEST }],
    },
    errorResponses: ERROR_CODES.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
    httpVersion: HttpVersion.HTTP2_AND_3,
    enableIpv6: true,
    priceClass: PRICE_CLASSES[settings.priceClass],
    publishAdditionalMetrics: settings.additionalMetrics,
    ...optionalParts(scope, settings),
  });
  // Purges name a tag, and CloudFront finds it in this header of S3's. The L2 construct does not know it yet.
  (distribution.node.defaultChild as CfnDistribution).addPropertyOverride(
    'DistributionConfig.CacheTagConfig.HeaderName',
    'x-amz-meta-cache-tag',
  );
  allowDistribution(bucket, distribution.distributionArn);
  acknowledgeChoices(distribution, settings);
  return distribution;
}

function createOrigins(scope: Construct, { bucket, url, settings }: DistributionOptions): OriginGroup {
  const { originShieldRegion, imageTimeoutSeconds } = settings;
  const shield = originShieldRegion === undefined ? {} : { originShieldRegion };
  return new OriginGroup({
    // Not `withOriginAccessControl`, which would let the distribution read the whole bucket.
    primaryOrigin: S3BucketOrigin.withBucketDefaults(bucket, {
      ...shield,
      originAccessControlId: new S3OriginAccessControl(scope, 'BucketAccess').originAccessControlId,
      // Where S3 cannot be reached, the function is asked soon: by default that takes half a minute.
      connectionAttempts: 2,
      connectionTimeout: Duration.seconds(3),
      // S3 says Access-Control-Allow-Origin only to who has an Origin. Which one does not matter, all are told *.
      customHeaders: { Origin: 'https://edgepress.invalid' },
    }),
    fallbackOrigin: FunctionUrlOrigin.withOriginAccessControl(url, {
      ...shield,
      readTimeout: Duration.seconds(imageTimeoutSeconds + READ_TIMEOUT_MARGIN_SECONDS),
      keepaliveTimeout: Duration.seconds(60),
    }),
    fallbackStatusCodes: FALLBACK_CODES,
  });
}

function optionalParts(scope: Construct, settings: Settings): Partial<DistributionProps> {
  const { domainNames, certificateArn, webAclArn, accessLogs, accessLogDays } = settings;
  return {
    ...(certificateArn !== undefined && {
      domainNames,
      // Without a certificate CloudFront's own domain has a policy that nobody can change.
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
    }),
    ...(webAclArn !== undefined && { webAclId: webAclArn }),
    ...(accessLogs && { logBucket: createLogBucket(scope, accessLogDays), logIncludesCookies: false }),
  };
}

function acknowledgeChoices(distribution: Distribution, settings: Settings): void {
  acknowledge(distribution, 'CFR1', 'Contractors are everywhere.');
  if (settings.webAclArn === undefined)
    acknowledge(distribution, 'CFR2', 'Unsigned requests end at the edge function; a web ACL is an option.');
  if (!settings.accessLogs)
    acknowledge(distribution, 'CFR3', 'They hold URLs that are signed for whoever has them: an option.');
  if (settings.certificateArn === undefined)
    acknowledge(
      distribution,
      'CFR4',
      "CloudFront's own domain comes with its own policy; with a certificate it is TLS 1.2.",
    );
}
