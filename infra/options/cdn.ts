import { listOf, oneOf, wholeNumber } from '../../src/config-values.ts';
import { NEAREST_SHIELD, SHIELD_REGIONS } from '../regions.ts';
import { flag, matching, NONE, option } from './option-values.ts';

const CERTIFICATE = /^arn:aws:acm:us-east-1:\d{12}:certificate\/[\w-]+$/;
const WEB_ACL = /^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]+\/[\w-]+$/;
const HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const HOST_NAMES = 'host names in lower case, separated by commas';
/** The CloudFront distribution. */
export const CDN_OPTIONS = {
  domainNames: option({
    type: listOf(HOST_NAMES, matching(HOST, HOST_NAMES).parse),
    default: { value: [], words: "CloudFront's own" },
    doc: 'Host names of image URLs, with `certificateArn`. The first one is used in signed URLs.',
  }),
  certificateArn: option({
    type: matching(CERTIFICATE, 'the ARN of an ACM certificate in us-east-1'),
    default: NONE,
    doc: 'The certificate of `domainNames`.',
  }),
  webAclArn: option({
    type: matching(WEB_ACL, 'the ARN of a WAFv2 web ACL for CloudFront (us-east-1, global)'),
    default: NONE,
    doc: 'A web ACL for the distribution.',
  }),
  originShieldRegion: option({
    type: oneOf([...SHIELD_REGIONS, NEAREST_SHIELD]),
    default: { value: undefined, words: 'no Origin Shield' },
    doc: 'The region of Origin Shield, one more cache in front of S3 and the image function, through which the requests of all edge locations go: `nearest` is the one for the region of the stack. [When it pays](aws.md#origin-shield).',
  }),
  priceClass: option({
    type: oneOf(['all', '200', '100'] as const),
    default: 'all',
    doc: 'The edge locations that answer: all of them, `200` (not South America, Australia and New Zealand), or `100` (North America, Europe and Israel).',
  }),
  accessLogs: option({
    type: flag,
    default: 'false',
    doc: 'Whether CloudFront logs each request, signed URL included, into a bucket of its own.',
  }),
  accessLogDays: option({
    type: wholeNumber(1, 3650),
    default: '90',
    doc: 'How long the access logs are kept, in days.',
  }),
  additionalMetrics: option({
    type: flag,
    default: 'false',
    doc: 'Whether CloudFront reports its hit rate and the latency of the origins, for a few dollars a month.',
  }),
};
