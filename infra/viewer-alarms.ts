import { CfnParameter, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type AlarmSpec, createAlarmsOf, MIN_REQUESTS } from './create-alarms.ts';
import { cdnPercent } from './metrics.ts';
import type { Settings } from './settings.ts';

/**
 * The alarms on what viewers get, for a service whose stack is in another region: an alarm can only use metrics of its own region, and
 * CloudFront has its metrics in us-east-1. The distribution is a parameter, so that the two stacks can be deployed one without the other.
 */
export class ViewerAlarmsStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, props: StackProps = {}) {
    super(scope, id, { description: 'edgepress: alarms on what viewers get from CloudFront', ...props });
    const { valueAsString: distributionId } = new CfnParameter(this, 'DistributionId', {
      description: 'The output DistributionId of the stack of the service',
      allowedPattern: '[A-Z0-9]{10,20}',
    });
    createAlarmsOf(this, cdnAlarms(distributionId, settings), settings.viewerAlarmTopicArn);
  }
}

/** The alarms on what viewers get, which have to be in `CDN_REGION`. */
export function cdnAlarms(distributionId: string, settings: Settings): AlarmSpec[] {
  return [
    {
      id: 'Cdn5xxAlarm',
      description:
        "Viewers get errors from CloudFront. If the image function's alarms are quiet, the cause is the edge function (FunctionExecutionErrors on the dashboard), S3, or CloudFront itself: see the AWS Health Dashboard.",
      metric: cdnPercent(distributionId, '5xxErrorRate', MIN_REQUESTS),
      threshold: settings.alarmCdn5xxPercent,
      periods: 3,
    },
    {
      id: 'Cdn4xxAlarm',
      description:
        'Most requests of viewers are refused. If it is 403: URLs are signed with a key that the edge does not have, the edge has no keys at all (`npm run keys`), or somebody is probing. If it is 404: a client has removed many originals.',
      metric: cdnPercent(distributionId, '4xxErrorRate', MIN_REQUESTS),
      threshold: settings.alarmCdn4xxPercent,
      periods: 3,
    },
  ];
}
