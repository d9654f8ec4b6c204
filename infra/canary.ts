import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, type IVersion, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from './cdk-nag.ts';

const ALIAS = 'live';
/** Crashes in a minute, of the tenth of the requests that the new version gets, after which it is taken back. */
const MAX_ERRORS = 2;

/**
 * Creates the alias through which a function is called, so that a new version can get its requests little by little.
 *
 * @param canary - whether it gets a tenth of them for five minutes, and is taken back if it crashes; otherwise it gets all at once
 */
export function createLiveAlias(scope: Construct, fn: LambdaFunction, canary: boolean): Alias {
  // CDK's classes were not compiled with exactOptionalPropertyTypes.
  const version = fn.currentVersion as IVersion;
  const alias = new Alias(scope, 'ImageLive', { aliasName: ALIAS, version });
  if (!canary) return alias;
  const role = createRole(scope, fn);
  const group = new LambdaDeploymentGroup(scope, 'ImageDeployment', {
    alias,
    // CDK would add a managed policy, with rights on every function of the account.
    role: role.withoutPolicyUpdates(),
    deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
    alarms: [createAlarm(scope, fn)],
    autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
  });
  // And so on its policy, which the first deployment would otherwise not wait for.
  group.node.addDependency(role);
  return alias;
}

/** What CodeDeploy needs to shift requests and to look at alarms: `AWSCodeDeployRoleForLambdaLimited`, for this function only. */
function createRole(scope: Construct, fn: LambdaFunction): Role {
  const role = new Role(scope, 'ImageDeploymentRole', {
    assumedBy: new ServicePrincipal('codedeploy.amazonaws.com'),
  });
  const aliases = `${fn.functionArn}:*`;
  const allow = (actions: string[], ...resources: string[]) =>
    role.addToPolicy(new PolicyStatement({ actions, resources }));
  allow(
    ['lambda:GetAlias', 'lambda:UpdateAlias', 'lambda:GetProvisionedConcurrencyConfig'],
    fn.functionArn,
    aliases,
  );
  // It has no resources to name.
  allow(['cloudwatch:DescribeAlarms'], '*');
  acknowledgeWildcard(role, aliases, 'The alias and the versions of one function.');
  acknowledgeWildcard(role, '*', 'cloudwatch:DescribeAlarms names no alarm.');
  return role;
}

/**
 * Not one of those in alarms.ts: it looks at single minutes, since the deployment ends after five, and only at the new version. CodeDeploy
 * begins nothing while its alarm is on, so errors of the version before would keep the one away that repairs them. For the same reason
 * each version has an alarm of its own, by its name: an alarm that is changed keeps its state.
 */
function createAlarm(scope: Construct, fn: LambdaFunction): Alarm {
  const { functionName, currentVersion } = fn;
  return new Alarm(scope, 'ImageDeploymentAlarm', {
    alarmName: `${Stack.of(scope).stackName}-image-deployment-${currentVersion.version}`,
    alarmDescription:
      'A new version of the image function crashes. CodeDeploy takes it back, and the deployment of the stack fails: see the log for the error. This alarm is on only during a deployment, and notifies nobody: ImageErrorsAlarm does.',
    metric: new Metric({
      namespace: 'AWS/Lambda',
      metricName: 'Errors',
      dimensionsMap: {
        FunctionName: functionName,
        Resource: `${functionName}:${ALIAS}`,
        // Lambda has this dimension while an alias is divided between two versions.
        ExecutedVersion: currentVersion.version,
      },
      statistic: Stats.SUM,
      period: Duration.minutes(1),
    }),
    threshold: MAX_ERRORS,
    evaluationPeriods: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
}
