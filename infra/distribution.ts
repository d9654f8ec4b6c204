import { Duration, Stack } from 'aws-cdk-lib';
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
import { type Alias, CfnPermission, type FunctionUrl } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { CACHE_TAG_HEADER } from '../src/protocol/metadata.ts';
import { acknowledge } from './cdk-nag.ts';
import {
  createCachePolicy,
  createOriginRequestPolicy,
  createResponseHeadersPolicy,
} from './cloudfront-policies.ts';
import { NEAREST_SHIELD, nearestShieldRegion } from './regions.ts';
import type { Settings } from './settings.ts';
import { allowDistribution, createLogBucket } from './storage.ts';

export interface DistributionOptions {
  readonly bucket: IBucket;
  /** What the function URL invokes. */
  readonly alias: Alias;
  readonly url: FunctionUrl;
  readonly edgeFunction: EdgeFunction;
  readonly settings: Settings;
}

/**
 * When S3 answers with one of these, CloudFront asks the function: for a missing object (404, or 403 where listing is not allowed),
 * when S3 fails, and when the request is too long for S3 (400), as the longest that the edge accepts can be once it is signed.
 */
const FALLBACK_CODES = [400, 403, 404, 500, 502, 503, 504];
/** The errors that CloudFront would otherwise cache for ten seconds, whatever the origin's Cache-Control says. */
const ERROR_CODES = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];
/** CloudFront has to time out later than the function, or it would repeat a request that already takes too long. */
const READ_TIMEOUT_MARGIN_SECONDS = 5;
/**
 * How long CloudFront waits for S3, to connect as to answer, in each attempt: the function is asked after four seconds of silence, and
 * reads from S3 itself with deadlines of its own. With the defaults that takes half a minute to a minute and a half.
 */
const S3_TIMEOUT_SECONDS = 2;
const S3_ATTEMPTS = 2;
const PRICE_CLASSES = {
  all: PriceClass.PRICE_CLASS_ALL,
  '200': PriceClass.PRICE_CLASS_200,
  '100': PriceClass.PRICE_CLASS_100,
} as const;

/** Creates the distribution: the edge function, then CloudFront's caches, then the bucket, and only then the image function. */
export function createDistribution(scope: Construct, options: DistributionOptions): Distribution {
  const { bucket, alias, edgeFunction, settings } = options;
  const distribution = new Distribution(scope, 'Distribution', {
    comment: 'Compressed images',
    defaultBehavior: {
      origin: createOrigins(scope, options),
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      allowedMethods: AllowedMethods.ALLOW_GET_HEAD_OPTIONS,
      cachedMethods: CachedMethods.CACHE_GET_HEAD,
      compress: false,
      cachePolicy: createCachePolicy(scope),
      originRequestPolicy: createOriginRequestPolicy(scope),
      responseHeadersPolicy: createResponseHeadersPolicy(scope, settings),
      functionAssociations: [{ function: edgeFunction, eventType: FunctionEventType.VIEWER_REQUEST }],
    },
    errorResponses: ERROR_CODES.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
    httpVersion: HttpVersion.HTTP2_AND_3,
    enableIpv6: true,
    priceClass: PRICE_CLASSES[settings.priceClass],
    publishAdditionalMetrics: settings.additionalMetrics,
    ...optionalProps(scope, settings),
  });
  // What the L2 construct has no properties for yet.
  const resource = distribution.node.defaultChild as CfnDistribution;
  // CloudFront reads the cache tags, by which a purge invalidates, from this header of S3's.
  resource.addPropertyOverride('DistributionConfig.CacheTagConfig.HeaderName', CACHE_TAG_HEADER);
  resource.addPropertyOverride(
    'DistributionConfig.Origins.0.S3OriginConfig.OriginReadTimeout',
    S3_TIMEOUT_SECONDS,
  );
  // CDK names what CloudFormation says that the URL belongs to; whether that includes the alias is not documented.
  for (const permission of distribution.node.findAll())
    if (permission instanceof CfnPermission) permission.functionName = alias.functionArn;
  allowDistribution(bucket, distribution.distributionArn);
  acknowledgeRules(distribution, settings);
  return distribution;
}

function createOrigins(scope: Construct, { bucket, url, settings }: DistributionOptions): OriginGroup {
  const { imageTimeoutSeconds } = settings;
  const originShieldRegion =
    settings.originShieldRegion === NEAREST_SHIELD
      ? nearestShieldRegion(Stack.of(scope).region)
      : settings.originShieldRegion;
  const shield = originShieldRegion !== undefined && { originShieldRegion };
  return new OriginGroup({
    // Not `withOriginAccessControl`, which would also let the distribution read the whole bucket.
    primaryOrigin: S3BucketOrigin.withBucketDefaults(bucket, {
      ...shield,
      originAccessControlId: new S3OriginAccessControl(scope, 'BucketAccess').originAccessControlId,
      // See S3_TIMEOUT_SECONDS.
      connectionAttempts: S3_ATTEMPTS,
      connectionTimeout: Duration.seconds(S3_TIMEOUT_SECONDS),
      // S3 sends Access-Control-Allow-Origin only to a request with an Origin. Any will do: the answer is always *.
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

function optionalProps(scope: Construct, settings: Settings): Partial<DistributionProps> {
  const { domainNames, certificateArn, webAclArn, accessLogs, accessLogDays } = settings;
  return {
    ...(certificateArn !== undefined && {
      domainNames: [...domainNames],
      // Only with a certificate: the security policy of CloudFront's own domain cannot be changed.
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
    }),
    ...(webAclArn !== undefined && { webAclId: webAclArn }),
    ...(accessLogs && { logBucket: createLogBucket(scope, accessLogDays), logIncludesCookies: false }),
  };
}

function acknowledgeRules(distribution: Distribution, settings: Settings): void {
  acknowledge(distribution, 'CFR1', 'Contractors may be in any country.');
  if (settings.webAclArn === undefined)
    acknowledge(
      distribution,
      'CFR2',
      'The edge function refuses unsigned requests; a web ACL is optional (webAclArn).',
    );
  if (!settings.accessLogs)
    acknowledge(
      distribution,
      'CFR3',
      'Access logs contain signed URLs, which work for anybody who has them: they are optional (accessLogs).',
    );
  if (settings.certificateArn === undefined)
    acknowledge(
      distribution,
      'CFR4',
      "CloudFront's own domain has a fixed security policy; with a certificate the minimum is TLS 1.2.",
    );
}
