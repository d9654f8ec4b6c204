import { CfnParameter, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { cdnAlarms, createAlarmsOf } from './alarms.ts';
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
