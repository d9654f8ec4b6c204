/** The region that has CloudFront's metrics, whichever region the stack is in. */
export const CDN_REGION = 'us-east-1';

/**
 * Regions without Lambda function URLs, through which CloudFront reaches the image function, and the nearest that has them, in the same
 * country where there is one. From "Creating and managing Lambda function URLs" in the Lambda Developer Guide and CloudFormation's
 * registry schemas (21 October 2026); where the two disagree, as on eu-south-2, the region is refused. A test compares this with
 * the schemas that aws-cdk-lib brings along.
 */
const NEAREST_WITH_FUNCTION_URLS: Readonly<Record<string, string>> = {
  'ap-east-2': 'ap-east-1',
  'ap-south-2': 'ap-south-1',
  'ap-southeast-4': 'ap-southeast-2',
  'ap-southeast-5': 'ap-southeast-1',
  'ap-southeast-6': 'ap-southeast-2',
  'ap-southeast-7': 'ap-southeast-1',
  'ca-west-1': 'ca-central-1',
  'eu-central-2': 'eu-central-1',
  'eu-south-2': 'eu-west-3',
  'il-central-1': 'eu-central-1',
  'me-central-1': 'me-south-1',
  'mx-central-1': 'us-east-2',
};

/**
 * Opt-in regions, to whose buckets CloudFront delivers no standard logs (legacy), of those that the stack can be in: "Configure
 * standard logging (legacy)" in the CloudFront Developer Guide.
 */
const WITHOUT_ACCESS_LOGS = ['af-south-1', 'ap-east-1', 'ap-southeast-3', 'eu-south-1', 'me-south-1'];

/** Why the stack cannot be in a region, and where it can; `undefined` for one that has all that it needs. */
export function regionFault(region: string): { found: string; todo: string } | undefined {
  if (/^(cn|us-gov|us-iso|eu-isoe|eusc)/.test(region))
    return {
      found: `${region} is in a part of AWS that has no CloudFront, or one without cache tags`,
      todo: 'use an account of the commercial regions, such as us-east-1',
    };
  const nearest = NEAREST_WITH_FUNCTION_URLS[region];
  if (nearest === undefined) return undefined;
  return {
    found: `${region} has no Lambda function URLs, which the image function needs`,
    todo: `deploy to ${nearest}, the nearest region that has them: viewers are served from CloudFront's edge locations near them all the same`,
  };
}

/** Whether CloudFront delivers access logs to a bucket in this region. */
export function hasAccessLogs(region: string): boolean {
  return !WITHOUT_ACCESS_LOGS.includes(region);
}

/** The regions that have Origin Shield, and below the one to use for each other region that the stack can be in. */
export const SHIELD_REGIONS = [
  ...([
    'us-east-1',
    'us-east-2',
    'us-west-2',
    'sa-east-1',
    'eu-central-1',
    'eu-west-1',
    'eu-west-2',
  ] as const),
  ...(['ap-south-1', 'ap-northeast-1', 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-2'] as const),
] as const;
/** What stands for the region of Origin Shield that is nearest to the stack. */
export const NEAREST_SHIELD = 'nearest';
/** "Use Amazon CloudFront Origin Shield", section "Choosing the AWS Region for Origin Shield", in the CloudFront Developer Guide. */
const SHIELD_FOR_REGION: Readonly<Record<string, string>> = {
  'us-west-1': 'us-west-2',
  'ca-central-1': 'us-east-1',
  'af-south-1': 'eu-west-1',
  'ap-east-1': 'ap-southeast-1',
  'ap-northeast-3': 'ap-northeast-1',
  'ap-southeast-3': 'ap-southeast-1',
  'eu-north-1': 'eu-west-2',
  'eu-south-1': 'eu-central-1',
  'eu-west-3': 'eu-west-2',
  'me-south-1': 'ap-south-1',
};

/** Returns the region of Origin Shield for a region; `undefined` for one that is not known. */
export function nearestShieldRegion(region: string): string | undefined {
  return SHIELD_REGIONS.find((shield) => shield === region) ?? SHIELD_FOR_REGION[region];
}
