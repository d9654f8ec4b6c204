import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { clientOptions, explainAws } from '../aws/ask-aws.ts';
import { findStack, isWhole } from '../aws/stack.ts';
import { formatCount } from '../command/amounts.ts';
import type { Workers } from '../plan/load.ts';
import { raised } from '../plan/quotas.ts';
import type { Finding } from './finding.ts';

/**
 * What templates ask for that aws-cdk-lib 2 makes with its default synthesizer (`MIN_BOOTSTRAP_STACK_VERSION`). The CLI 2.1148
 * deploys to whatever has that.
 */
const BOOTSTRAP_VERSION = 6;
/** Lambda: concurrent executions, in one region. */
const CONCURRENT_EXECUTIONS = { ServiceCode: 'lambda', QuotaCode: 'L-B99A9384' };

/** The region that all of AWS is asked in. */
export async function checkRegion(): Promise<Finding & { region?: string }> {
  const client = new CloudFormationClient(clientOptions());
  try {
    const region = await client.config.region();
    if (region === '') throw new Error('an empty region');
    return { state: 'ok', what: 'region', found: region, region };
  } catch {
    return { state: 'missing', what: 'region', found: 'none is set', todo: 'set AWS_REGION' };
  } finally {
    client.destroy();
  }
}

/** Who deploys. */
export async function checkCredentials(): Promise<Finding & { account?: string }> {
  const what = 'credentials';
  const client = new STSClient(clientOptions());
  try {
    const { Account = '', Arn } = await client.send(new GetCallerIdentityCommand({}));
    return { state: 'ok', what, found: `account ${Account}, as ${Arn}`, account: Account };
  } catch (error) {
    const { happened: found, ...todo } = explainAws(error, 'sts:GetCallerIdentity');
    // What is to be done about is missing; of all else nobody knows.
    return { state: 'todo' in todo ? 'missing' : 'not checked', what, found, ...todo };
  } finally {
    client.destroy();
  }
}

/** Whether CDK has what it keeps in an account and region. */
export function checkBootstrap(account: string, region: string): Promise<Finding> {
  const what = 'CDK bootstrap';
  const todo = `npx cdk bootstrap aws://${account}/${region}`;
  return unlessRefused(what, 'cloudformation:DescribeStacks on CDKToolkit', async () => {
    const stack = await findStack('CDKToolkit');
    if (!stack) return { state: 'missing', what, found: `${region} is not bootstrapped`, todo };
    const version = Number(stack.outputs['BootstrapVersion'] ?? 0);
    const found = `version ${version}, ${stack.status}`;
    if (!isWhole(stack) || version < BOOTSTRAP_VERSION)
      return { state: 'missing', what, found: `${found}: ${BOOTSTRAP_VERSION} or later is needed`, todo };
    return { state: 'ok', what, found };
  });
}

/** Whether Lambda lets as many functions run at once as there will be. */
export function checkConcurrency({ executions }: Workers): Promise<Finding> {
  const what = 'Lambda concurrency';
  return unlessRefused(what, 'servicequotas:GetServiceQuota', async () => {
    const quota = await readConcurrency();
    const found = `${formatCount(quota)} for all functions of the account here, ${formatCount(executions.value)} needed: ${executions.arithmetic}`;
    if (executions.value <= quota) return { state: 'ok', what, found };
    const { ServiceCode, QuotaCode } = CONCURRENT_EXECUTIONS;
    const ask = `aws service-quotas request-service-quota-increase --service-code ${ServiceCode} --quota-code ${QuotaCode} --desired-value`;
    return { state: 'missing', what, found, todo: `${ask} ${raised(executions.value)}` };
  });
}

async function readConcurrency(): Promise<number> {
  const client = new ServiceQuotasClient(clientOptions());
  try {
    const { Quota } = await client.send(new GetServiceQuotaCommand(CONCURRENT_EXECUTIONS)).catch((error) => {
      // Nothing was ever applied: then the default is.
      if (error instanceof Error && error.name === 'NoSuchResourceException')
        return client.send(new GetAWSDefaultServiceQuotaCommand(CONCURRENT_EXECUTIONS));
      throw error;
    });
    if (Quota?.Value === undefined) throw new Error('an answer without a value');
    return Quota.Value;
  } finally {
    client.destroy();
  }
}

/** Whether there is anything in the way of the stack. */
export function checkStack(name: string): Promise<Finding> {
  const what = `stack ${name}`;
  return unlessRefused(what, `cloudformation:DescribeStacks on ${name}`, async () => {
    const stack = await findStack(name);
    if (!stack) return { state: 'ok', what, found: 'is not there yet: the deploy makes it' };
    const { status } = stack;
    if (isWhole(stack) && !status.endsWith('IN_PROGRESS'))
      return { state: 'ok', what, found: `is there (${status}): the deploy updates it` };
    // What `cdk deploy` left that never got as far as resources: it takes that up itself.
    if (status === 'REVIEW_IN_PROGRESS')
      return { state: 'ok', what, found: 'is only planned: the deploy makes it' };
    return { state: 'missing', what, found: `is ${status}`, todo: wayOutOf(status, name) };
  });
}

function wayOutOf(status: string, name: string): string {
  if (status.endsWith('IN_PROGRESS')) return 'wait until that has ended';
  if (status.startsWith('UPDATE_'))
    return `aws cloudformation continue-update-rollback --stack-name ${name}, or look at its events`;
  return `nothing can be deployed onto that: npx cdk destroy ${name} first`;
}

async function unlessRefused(
  what: string,
  permission: string,
  check: () => Promise<Finding>,
): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    const { happened: found, ...todo } = explainAws(error, permission);
    return { state: 'not checked', what, found, ...todo };
  }
}
