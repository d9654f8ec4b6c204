import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { CommandFailure } from '../command/command-failure.ts';
import { askAws, clientOptions } from './ask-aws.ts';

/** What CloudFormation says of a stack. */
export interface Stack {
  name: string;
  /** Such as `UPDATE_COMPLETE`. */
  status: string;
  outputs: Readonly<Record<string, string>>;
}

/** What the stack of this service tells the commands. */
export interface DeployedStack {
  name: string;
  /** What the server and the commands read: never keys. */
  environment: Readonly<Record<string, string>>;
  keyValueStoreArn: string;
  signingKeysSecretArn: string;
}

/** Names that any shell takes: what is printed is meant for `eval`. */
const environmentSchema = z.record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/), z.string());

/** States in which a stack has never been whole, or is no more. */
const UNUSABLE = /^(CREATE_(IN_PROGRESS|FAILED)|ROLLBACK_|DELETE_|REVIEW_|IMPORT_IN_PROGRESS)/;
const WHOLE = /^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE(_CLEANUP_IN_PROGRESS)?$/;

/**
 * Looks a stack up in this account and region.
 *
 * @returns `undefined` where there is none
 * @throws what the SDK does
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
 * Reads what the deployed stack tells.
 *
 * @param say - tells the user what may be out of date
 * @throws CommandFailure when it is not there, not finished, or another one
 */
export async function readDeployedStack(name: string, say: (text: string) => void): Promise<DeployedStack> {
  const stack = await askAws('cloudformation:DescribeStacks', () => findStack(name));
  if (!stack)
    throw new CommandFailure(
      `There is no stack ${name} in this account and region: look at AWS_PROFILE and AWS_REGION, or deploy it first.`,
    );
  const { status, outputs } = stack;
  if (UNUSABLE.test(status))
    throw new CommandFailure(
      `The stack ${name} is not finished: it is ${status}. Deploy it, or wait for its end.`,
    );
  if (!isWhole(stack)) say(`The stack ${name} is ${status}: what follows may be from before.`);
  return {
    name,
    environment: environmentOf(name, outputs),
    keyValueStoreArn: outputOf(name, outputs, 'KeyValueStoreArn'),
    signingKeysSecretArn: outputOf(name, outputs, 'SigningKeysSecretArn'),
  };
}

/** Whether its last change came to an end, and left it usable. */
export function isWhole({ status }: Stack): boolean {
  return WHOLE.test(status);
}

function outputOf(name: string, outputs: Stack['outputs'], key: string): string {
  const value = outputs[key];
  if (value === undefined || value === '')
    throw new CommandFailure(`The stack ${name} has no output ${key}: it is another stack, or an older one.`);
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
