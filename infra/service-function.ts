import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type IRole, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, type Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** What the two functions do not have in common. */
export interface ServiceFunctionOptions {
  readonly description: string;
  readonly code: Code;
  /** `{module}.{export}` */
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeout: Duration;
  readonly reservedConcurrency: number | undefined;
  readonly logRetentionDays: number;
  readonly environment: Readonly<Record<string, string>>;
}

export interface ServiceFunction {
  readonly fn: LambdaFunction;
  readonly role: IRole;
}

/** A function with a log of its own, and a role that may write to that log and nothing else yet. */
export function createServiceFunction(
  scope: Construct,
  id: string,
  options: ServiceFunctionOptions,
): ServiceFunction {
  const { description, code, handler, memoryMb, timeout, reservedConcurrency, environment } = options;
  const logGroup = new LogGroup(scope, `${id}Logs`, {
    retention: options.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // Not the one that CDK would make: its managed policy may write to every log of the account.
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  const fn = new LambdaFunction(scope, id, {
    description,
    code,
    handler,
    role,
    logGroup,
    // A fixed one, so that it is the operator's commit that changes it.
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: memoryMb,
    timeout,
    ...(reservedConcurrency !== undefined && { reservedConcurrentExecutions: reservedConcurrency }),
    environment: {
      ...environment,
      // Names are looked up, files are read and pictures encoded in libuv's threads, of which there are four.
      UV_THREADPOOL_SIZE: '16',
      // glibc keeps what many threads allocated and gave back.
      MALLOC_ARENA_MAX: '2',
    },
  });
  return { fn, role };
}
