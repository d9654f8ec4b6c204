import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { GatewayVpcEndpointAwsService, type IVpc, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import {
  type CfnService,
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ILogGroup, LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { buildWorkerImage, writeDockerfile } from './bundle/build-worker-image.ts';
import { acknowledge, acknowledgeWildcard } from './cdk-nag.ts';
import { scaleByQueue } from './fargate-scaling.ts';
import { allow } from './permissions.ts';
import type { Settings } from './settings.ts';
import { grantWork } from './worker.ts';

/** How long a container may take after SIGTERM: the notice that Spot gives, and Fargate's maximum. The server needs 40 s at most. */
const STOP_TIMEOUT = Duration.seconds(120);
/** The least that Fargate has for a vCPU. A server with as many encodes at a time as cores needs less. */
const MIB_PER_VCPU = 2048;
/** Fargate counts CPU in these. */
const UNITS_PER_VCPU = 1024;

export interface FargateWorkersOptions {
  readonly bucket: IBucket;
  readonly queue: Queue;
  readonly distributionId: string;
  readonly distributionArn: string;
  readonly settings: Settings;
  readonly maxTasks: number;
}

/** What the dashboard and the runbook show of containers. */
export interface FargateWorkers {
  readonly logGroup: ILogGroup;
  readonly service: FargateService;
  /** They start and stop containers. */
  readonly scalingAlarms: Alarm[];
}

/** Creates the service of containers that work on the queue while units wait long. */
export function createFargateWorkers(scope: Construct, options: FargateWorkersOptions): FargateWorkers {
  const { queue, settings, maxTasks } = options;
  const logGroup = new LogGroup(scope, 'FargateWorkersLogs', {
    retention: settings.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const vpc = createNetwork(scope);
  const cluster = new Cluster(scope, 'Workers', {
    vpc,
    enableFargateCapacityProviders: true,
    containerInsightsV2: ContainerInsights.DISABLED,
  });
  acknowledge(cluster, 'ECS4', 'The log of the workers and the metrics of the queue say what they do.');
  const service = new FargateService(scope, 'WorkersService', {
    cluster: cluster as ICluster,
    taskDefinition: createTask(scope, logGroup, options),
    capacityProviderStrategies: [
      { capacityProvider: settings.fargateSpot ? 'FARGATE_SPOT' : 'FARGATE', weight: 1 },
    ],
    // A public address costs a tenth of what a NAT gateway does, and nothing can connect to it.
    assignPublicIp: true,
    vpcSubnets: { subnetType: SubnetType.PUBLIC },
    securityGroups: [
      new SecurityGroup(scope, 'WorkersSecurityGroup', {
        vpc,
        description: 'Workers connect to others, and nobody to them',
      }),
    ],
    // Work in flight goes back to the queue: nothing is gained by starting new containers first.
    minHealthyPercent: 0,
    maxHealthyPercent: 100,
    circuitBreaker: { rollback: true },
  });
  // A deployment must not change how many there are.
  (service.node.defaultChild as CfnService).addPropertyDeletionOverride('DesiredCount');
  return { logGroup, service, scalingAlarms: scaleByQueue(scope, service, { queue, maxTasks }) };
}

/** Public subnets without a NAT gateway; S3, to which most bytes go, over a gateway that costs nothing. */
function createNetwork(scope: Construct): IVpc {
  const vpc = new Vpc(scope, 'WorkersVpc', {
    natGateways: 0,
    subnetConfiguration: [{ name: 'Public', subnetType: SubnetType.PUBLIC }],
    gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    // It would take a function of its own. Nothing uses that group.
    restrictDefaultSecurityGroup: false,
  });
  acknowledge(vpc, 'VPC7', 'The log of the workers names every host that they fetch from.');
  // CDK is compiled without `exactOptionalPropertyTypes`, under which its classes do not match its own interfaces.
  return vpc as IVpc;
}

function createTask(
  scope: Construct,
  logGroup: ILogGroup,
  options: FargateWorkersOptions,
): FargateTaskDefinition {
  const { bucket, queue, distributionId, distributionArn, settings } = options;
  const vcpus = settings.fargateVcpus;
  const role = new Role(scope, 'WorkersRole', {
    assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
  });
  grantWork(role, { bucket, queue, distributionArn, settings });
  const consume = ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'];
  allow(
    role,
    consume.map((action) => `sqs:${action}`),
    [queue.queueArn],
  );
  const task = new FargateTaskDefinition(scope, 'WorkersTask', {
    cpu: vcpus * UNITS_PER_VCPU,
    memoryLimitMiB: vcpus * MIB_PER_VCPU,
    runtimePlatform: {
      cpuArchitecture: CpuArchitecture.ARM64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
    taskRole: role,
  });
  const { OTEL_EXPORTER_OTLP_ENDPOINT: collector, ...environment } = settings.environment;
  task.addContainer('Worker', {
    image: createImage(scope),
    environment: {
      AWS_REGION: Stack.of(scope).region,
      STORE: `s3://${bucket.bucketName}`,
      QUEUE: queue.queueUrl,
      CDN: `cloudfront:${distributionId}`,
      ...environment,
      // A collector in a layer is only beside functions.
      ...(collector !== undefined &&
        settings.collectorLayerArn === undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: collector }),
      CONCURRENCY: String(vcpus),
    },
    logging: LogDrivers.awsLogs({ streamPrefix: 'worker', logGroup }),
    stopTimeout: STOP_TIMEOUT,
  });
  acknowledgeWildcard(
    task.obtainExecutionRole(),
    '*',
    'A token to read images with has no resource to name.',
  );
  acknowledge(task, 'ECS2', 'No variable is a secret: secrets are named by their ARN.');
  return task;
}

/** Builds what the image is made of, unless CDK is told to skip that, as `cdk ls` and the tests do. */
function createImage(scope: Construct): ContainerImage {
  const directory = mkdtempSync(join(tmpdir(), 'edgepress-worker-image-'));
  try {
    if (Stack.of(scope).bundlingRequired) buildWorkerImage(directory, { cpu: 'arm64' });
    else writeDockerfile(directory);
    const asset = new DockerImageAsset(scope, 'WorkersImage', { directory, platform: Platform.LINUX_ARM64 });
    return ContainerImage.fromDockerImageAsset(asset);
  } finally {
    // CDK has copied it.
    rmSync(directory, { recursive: true });
  }
}
