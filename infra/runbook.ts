import { Stack } from 'aws-cdk-lib';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { CDN_REGION } from './regions.ts';

/** What the commands of the runbook name. */
export interface RunbookResources {
  readonly imageLogs: ILogGroup;
  readonly workerLogs: ILogGroup;
  /** Of the workers in containers, if there are any. */
  readonly containerLogs: ILogGroup | undefined;
  readonly deadLetters: Queue;
  readonly distributionId: string;
}

/**
 * What is in the logs of errors: lines of level 50 (error) and 60 (fatal), and those in which Lambda says that a function crashed, ran
 * out of time or memory, which are not JSON. An expression between `%` may have neither spaces, quotes nor parentheses ("Filter pattern
 * syntax" in the CloudWatch Logs User Guide).
 */
const ERRORS = "'%level..[56]0,|Task.timed.out|Runtime.exited|Runtime[.][A-Z]|Uncaught%'";

/**
 * Returns the commands of the runbook with the names of this stack in them, to be copied: by output, the command and what it is for.
 * The policy for operators allows what they do.
 */
export function runbookOutputs(
  scope: Construct,
  { imageLogs, workerLogs, containerLogs, deadLetters, distributionId }: RunbookResources,
): Record<string, [value: string, description: string]> {
  const { region, stackName } = Stack.of(scope);
  const tail = ({ logGroupName }: ILogGroup) =>
    `aws logs tail ${logGroupName} --region ${region} --since 1h --format short`;
  const move = (verb: string) => `aws sqs ${verb} --region ${region} --source-arn ${deadLetters.queueArn}`;
  return {
    RunbookImageErrors: [
      `${tail(imageLogs)} --filter-pattern ${ERRORS}`,
      'Errors and crashes of the image function',
    ],
    RunbookWorkerErrors: [
      `${tail(workerLogs)} --filter-pattern ${ERRORS}`,
      'Errors and crashes of the worker',
    ],
    ...(containerLogs && {
      RunbookContainerErrors: [
        `${tail(containerLogs)} --filter-pattern ${ERRORS}`,
        'Errors of the workers in containers',
      ],
    }),
    RunbookRequest: [
      `${tail(imageLogs)} --filter-pattern '"REQUEST-ID"'`,
      'All log lines of a request, with its X-Request-Id in place of REQUEST-ID',
    ],
    RunbookRedrive: [
      move('start-message-move-task'),
      'Tries dead letters again, once their cause is repaired',
    ],
    RunbookRedriveStatus: [move('list-message-move-tasks'), 'How far that is'],
    RunbookEnvironment: [
      `export AWS_REGION=${region}; eval "$(npm run -s env -- ${stackName})"`,
      'Lets the commands work on this stack',
    ],
    ...(region !== CDN_REGION && {
      RunbookViewerAlarms: [
        `AWS_REGION=${CDN_REGION} npm run cdk -- --app "node --import tsx infra/viewer-alarms-app.ts" deploy -c edgepress.stackName=${stackName} --parameters DistributionId=${distributionId}`,
        `Makes the alarms on what viewers get, in ${CDN_REGION}, where CloudFront has its metrics`,
      ],
    }),
  };
}
