import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage, type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type IRole, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LayerVersion,
  RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { buildLambda } from './bundle/build-lambda.ts';
import { acknowledgeWildcard } from './cdk-nag.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Returns the code of both functions as one asset. It is built when the stack is synthesised, unless CDK is told to skip bundling,
 * as `cdk ls` and the tests do.
 */
export function createCode(): Code {
  return Code.fromAsset(ROOT, {
    // Hash the output: the input is the whole project, which CDK then need not read.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK wants an image in case a local build is not possible; here it always is.
      image: DockerImage.fromRegistry('scratch'),
      local: {
        tryBundle(folder) {
          buildLambda(folder, { cpu: 'arm64' });
          return true;
        },
      },
    },
  });
}

/** What differs between the image function and the worker. */
export interface ServiceFunctionOptions {
  readonly description: string;
  readonly code: Code;
  /** `{module}.{export}` */
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeout: Duration;
  readonly reservedConcurrency: number | undefined;
  readonly logRetentionDays: number;
  readonly collectorLayerArn: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Whether the function sends to the queue that invokes it. Lambda would stop such a function after about 16 hops
   * ("Use Lambda recursive loop detection to prevent infinite loops" in its Developer Guide).
   */
  readonly sendsToItself?: boolean;
}

export interface ServiceFunction {
  readonly fn: LambdaFunction;
  readonly role: IRole;
}

/** Creates a Lambda function with its own log group, and a role that may write to that log group and nothing else yet. */
export function createServiceFunction(
  scope: Construct,
  id: string,
  options: ServiceFunctionOptions,
): ServiceFunction {
  const { description, code, handler, memoryMb, timeout, reservedConcurrency, environment } = options;
  const { collectorLayerArn } = options;
  const logGroup = new LogGroup(scope, `${id}Logs`, {
    retention: options.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // Not CDK's default role: its managed policy may write to every log group of the account.
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  const fn = new LambdaFunction(scope, id, {
    description,
    code,
    handler,
    role,
    logGroup,
    // Pinned, so that the runtime changes with a commit of the operator and not with a release of CDK.
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: memoryMb,
    timeout,
    ...(options.sendsToItself && { recursiveLoop: RecursiveLoop.ALLOW }),
    ...(reservedConcurrency !== undefined && { reservedConcurrentExecutions: reservedConcurrency }),
    ...(collectorLayerArn !== undefined && {
      layers: [LayerVersion.fromLayerVersionArn(scope, `${id}Collector`, collectorLayerArn)],
      tracing: Tracing.ACTIVE,
    }),
    environment: {
      ...environment,
      // DNS look-ups, file reads and encodes all run in libuv's threads, of which there are four by default.
      UV_THREADPOOL_SIZE: '16',
      // With more arenas glibc keeps memory that many threads allocated and freed.
      MALLOC_ARENA_MAX: '2',
    },
  });
  if (collectorLayerArn !== undefined) acknowledgeWildcard(role, '*', 'X-Ray has no resources to name');
  return { fn, role };
}
