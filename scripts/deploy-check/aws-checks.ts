import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudFrontClient, ListKeyValueStoresCommand } from '@aws-sdk/client-cloudfront';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { regionFault } from '../../infra/regions.ts';
import { clientOptions, explainAwsError } from '../cli/aws.ts';
import { findStack, isComplete } from '../cli/stack.ts';
import type { Finding } from './finding.ts';

/**
 * The version that templates of aws-cdk-lib 2 require with the default synthesizer (`MIN_BOOTSTRAP_STACK_VERSION`), which is enough
 * for the CLI 2.1148.
 */
const MIN_BOOTSTRAP_VERSION = 6;

/** Checks that an AWS region is set, and has all that the stack needs; returns it if so. */
export async function checkRegion(): Promise<Finding & { region?: string }> {
  const client = new CloudFormationClient(clientOptions());
  try {
    const region = await client.config.region();
    if (region === '') throw new Error('an empty region');
    const fault = regionFault(region);
    if (fault !== undefined) return { state: 'missing', what: 'region', ...fault };
    return { state: 'ok', what: 'region', found: region, region };
  } catch {
    return { state: 'missing', what: 'region', found: 'none is set', todo: 'set AWS_REGION' };
  } finally {
    client.destroy();
  }
}

/** Checks the AWS credentials, and returns their account. */
export async function checkCredentials(): Promise<Finding & { account?: string }> {
  const what = 'credentials';
  const client = new STSClient(clientOptions());
  try {
    const { Account = '', Arn } = await client.send(new GetCallerIdentityCommand({}));
    return { state: 'ok', what, found: `account ${Account}, as ${Arn}`, account: Account };
  } catch (error) {
    const { happened: found, ...todo } = explainAwsError(error, 'sts:GetCallerIdentity');
    // With a remedy it is known to be missing; any other error says nothing about the credentials.
    return { state: 'todo' in todo ? 'missing' : 'not checked', what, found, ...todo };
  } finally {
    client.destroy();
  }
}

/** Checks that the account and region are bootstrapped for CDK. */
export function checkBootstrap(account: string, region: string): Promise<Finding> {
  const what = 'CDK bootstrap';
  const todo = `npx cdk bootstrap aws://${account}/${region}`;
  return checkAllowed(what, 'cloudformation:DescribeStacks on CDKToolkit', async () => {
    const stack = await findStack('CDKToolkit');
    if (!stack) return { state: 'missing', what, found: `${region} is not bootstrapped`, todo };
    const version = Number(stack.outputs['BootstrapVersion'] ?? 0);
    const found = `version ${version}, ${stack.status}`;
    if (!isComplete(stack) || version < MIN_BOOTSTRAP_VERSION)
      return { state: 'missing', what, found: `${found}: ${MIN_BOOTSTRAP_VERSION} or later is needed`, todo };
    return { state: 'ok', what, found };
  });
}

/** Checks that the status of the stack, if there is one, allows a deploy. */
export function checkStack(name: string): Promise<Finding> {
  const what = `stack ${name}`;
  return checkAllowed(what, `cloudformation:DescribeStacks on ${name}`, async () => {
    const stack = await findStack(name);
    if (!stack) return await checkNewName(name);
    const { status } = stack;
    if (isComplete(stack) && !status.endsWith('IN_PROGRESS'))
      return { state: 'ok', what, found: `is there (${status}): the deploy updates it` };
    // `cdk deploy` was stopped before it created any resource: it continues by itself.
    if (status === 'REVIEW_IN_PROGRESS')
      return { state: 'ok', what, found: 'is only planned: the deploy makes it' };
    return { state: 'missing', what, found: `is ${status}`, todo: remedyFor(status, name) };
  });
}

/**
 * Checks that no stack with this name is in another region: what the stack creates at CloudFront is named after it, and names at
 * CloudFront are unique in the account.
 */
function checkNewName(name: string): Promise<Finding> {
  const what = `stack ${name}`;
  return checkAllowed(what, 'cloudfront:ListKeyValueStores', async () => {
    const stores = await listKeyValueStores();
    // As CDK names it: without other characters than letters and digits, and with a hash at the end.
    const own = new RegExp(`^${name.replace(/[^A-Za-z0-9]/g, '')}EdgeKeys[0-9A-F]{8}$`);
    const store = stores.find((one) => own.test(one));
    if (store === undefined) return { state: 'ok', what, found: 'is not there yet: the deploy makes it' };
    return {
      state: 'missing',
      what,
      found: `is not in this region, but in another one of this account: CloudFront has its KeyValueStore ${store}, and the deployment of a second one fails`,
      todo: 'set another "stackName" in cdk.json, or AWS_REGION to the region of that stack',
    };
  });
}

async function listKeyValueStores(): Promise<readonly string[]> {
  const client = new CloudFrontClient({ ...clientOptions(), region: 'us-east-1' });
  const names: string[] = [];
  try {
    let Marker: string | undefined;
    do {
      const { KeyValueStoreList } = await client.send(
        new ListKeyValueStoresCommand({ ...(Marker && { Marker }) }),
      );
      names.push(...(KeyValueStoreList?.Items ?? []).map(({ Name = '' }) => Name));
      Marker = KeyValueStoreList?.NextMarker;
    } while (Marker);
    return names;
  } finally {
    client.destroy();
  }
}

function remedyFor(status: string, name: string): string {
  if (status.endsWith('IN_PROGRESS')) return 'wait until that ends';
  if (status.startsWith('UPDATE_'))
    return `aws cloudformation continue-update-rollback --stack-name ${name}, or check its events`;
  return `this stack cannot be updated: npx cdk destroy ${name} first`;
}

/** Runs a check that calls AWS. When a call fails, the finding says so and which permission it needs. */
export async function checkAllowed(
  what: string,
  permission: string,
  check: () => Promise<Finding>,
): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    const { happened: found, ...todo } = explainAwsError(error, permission);
    return { state: 'not checked', what, found, ...todo };
  }
}
