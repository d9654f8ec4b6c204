import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { callAws, clientOptions } from './aws.ts';
import { CommandFailure } from './command.ts';

/** A stack as CloudFormation describes it. */
export interface Stack {
  name: string;
  /** Such as `UPDATE_COMPLETE`. */
  status: string;
  outputs: Readonly<Record<string, string>>;
}

/** What the commands need to know of a deployed stack of this service. */
export interface DeployedStack {
  name: string;
  /** The environment of the server and the commands, without signing keys. */
  environment: Readonly<Record<string, string>>;
  keyValueStoreArn: string;
  signingKeysSecretArn: string;
}

/** Only names that are safe in any shell: the variables are printed for `eval`. */
const environmentSchema = z.record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/), z.string());

/** Statuses of a stack that was never complete, or no longer exists. */
const UNUSABLE = /^(CREATE_(IN_PROGRESS|FAILED)|ROLLBACK_|DELETE_|REVIEW_|IMPORT_IN_PROGRESS)/;
const COMPLETE = /^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE(_CLEANUP_IN_PROGRESS)?$/;

/**
 * Looks up a stack in the current account and region.
 *
 * @returns `undefined` when there is none
 * @throws the SDK's errors
 */
export async function findStack(name: string): Promise<Stack | undefined> {
  const client = new CloudFormationClient(clientOptions());
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name }));
    const stack = Stacks?.[0];
    if (!stack) return undefined;
    const outputs = (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]);
    return { name, status: stack.StackStatus ?? '', outputs: Object.fromEntries(outputs) };
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message))
      return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

/**
 * Reads the outputs of a deployed stack of this service.
 *
 * @param onMessage - called with a warning when the outputs may be out of date
 * @throws CommandFailure when there is no such stack, it is not complete, or it is not of this service
 */
export async function readDeployedStack(
  name: string,
  onMessage: (text: string) => void,
): Promise<DeployedStack> {
  const stack = await callAws('cloudformation:DescribeStacks', () => findStack(name));
  if (!stack)
    throw new CommandFailure(
      `There is no stack ${name} in this account and region: check AWS_PROFILE and AWS_REGION, or deploy it first.`,
    );
  const { status, outputs } = stack;
  if (UNUSABLE.test(status))
    throw new CommandFailure(
      `The stack ${name} is not ready: it is ${status}. Deploy it, or wait until the deployment ends.`,
    );
  if (!isComplete(stack)) onMessage(`The stack ${name} is ${status}: its outputs may be out of date.`);
  return {
    name,
    environment: environmentOf(name, outputs),
    keyValueStoreArn: outputOf(name, outputs, 'KeyValueStoreArn'),
    signingKeysSecretArn: outputOf(name, outputs, 'SigningKeysSecretArn'),
  };
}

/** Whether the last change of a stack has ended, and left it usable. */
export function isComplete({ status }: Stack): boolean {
  return COMPLETE.test(status);
}

function outputOf(name: string, outputs: Stack['outputs'], key: string): string {
  const value = outputs[key];
  if (value === undefined || value === '')
    throw new CommandFailure(
      `The stack ${name} has no output ${key}: it belongs to another service, or to an older version.`,
    );
  return value;
}

function environmentOf(name: string, outputs: Stack['outputs']): DeployedStack['environment'] {
  const text = outputOf(name, outputs, 'Environment');
  try {
    return environmentSchema.parse(JSON.parse(text));
  } catch {
    throw new CommandFailure(`The output Environment of the stack ${name} is not an object of variables.`);
  }
}
