import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { findQueues, onlyResource } from '../support/infra/resources.ts';
import { synthesise } from '../support/infra/synthesise.ts';

const template = synthesise({ fargateMaxTasks: 20 });

describe('workers on Fargate', () => {
  it('are not there unless they are asked for', () => {
    synthesise().resourceCountIs('AWS::ECS::Service', 0);
    synthesise().resourceCountIs('AWS::EC2::VPC', 0);
  });

  it('run on spare arm64 capacity, with 2 GB for each vCPU and the notice of Spot to stop', () => {
    expect(onlyResource(template, 'AWS::ECS::TaskDefinition')).toMatchObject({
      Cpu: '4096',
      Memory: '8192',
      RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
      ContainerDefinitions: [{ StopTimeout: 120, Environment: expect.any(Array) }],
    });
    expect(onlyResource(template, 'AWS::ECS::Service')).toMatchObject({
      CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE_SPOT', Weight: 1 }],
    });
  });

  it('run on capacity of their own if the option says so', () => {
    const onDemand = synthesise({ fargateMaxTasks: 20, fargateSpot: false, fargateVcpus: 16 });
    expect(onlyResource(onDemand, 'AWS::ECS::Service')).toMatchObject({
      CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE', Weight: 1 }],
    });
    expect(onlyResource(onDemand, 'AWS::ECS::TaskDefinition')).toMatchObject({
      Cpu: '16384',
      Memory: '32768',
    });
  });

  it('have the environment of the worker function, and as many encodes at a time as vCPUs', () => {
    const [container] = onlyResource(template, 'AWS::ECS::TaskDefinition')['ContainerDefinitions'] as {
      Environment: { Name: string; Value: unknown }[];
    }[];
    const environment = new Map(container?.Environment.map(({ Name, Value }) => [Name, Value]));
    expect(environment.get('CONCURRENCY')).toBe('4');
    expect(environment.get('QUEUE')).toEqual({ Ref: findQueues(template).queueId });
    expect(environment.get('PREWARM_EFFORT')).toBe('best');
    const [bucket] = Object.keys(template.findResources('AWS::S3::Bucket'));
    expect(environment.get('STORE')).toEqual({ 'Fn::Join': ['', ['s3://', { Ref: bucket }]] });
    expect(environment.get('CDN')).toEqual({
      'Fn::Join': ['', ['cloudfront:', { Ref: expect.stringMatching(/^Distribution/) }]],
    });
    expect(environment.has('AWS_REGION')).toBe(true);
  });

  it('have a log that operators may read, by a command of the runbook', () => {
    const [logs] = Object.keys(template.findResources('AWS::Logs::LogGroup')).filter((id) =>
      id.startsWith('FargateWorkersLogs'),
    );
    template.hasResourceProperties('AWS::IAM::ManagedPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: Match.arrayWith(['logs:FilterLogEvents']),
            Resource: Match.arrayWith([{ 'Fn::GetAtt': [logs, 'Arn'] }]),
          }),
        ]),
      },
    });
    template.hasOutput('RunbookContainerErrors', {
      Value: { 'Fn::Join': ['', Match.arrayWith(['aws logs tail ', { Ref: logs }])] },
    });
  });

  it('may receive and delete messages of the queue', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: [
              'sqs:ReceiveMessage',
              'sqs:DeleteMessage',
              'sqs:ChangeMessageVisibility',
              'sqs:GetQueueAttributes',
            ],
            Resource: { 'Fn::GetAtt': [findQueues(template).queueId, 'Arn'] },
          }),
        ]),
      },
      Roles: [{ Ref: Match.stringLikeRegexp('^WorkersRole') }],
    });
  });

  it('cannot be connected to, and need no NAT gateway', () => {
    expect(onlyResource(template, 'AWS::EC2::SecurityGroup')).not.toHaveProperty('SecurityGroupIngress');
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    // Without a gateway, only a public address reaches anything.
    expect(onlyResource(template, 'AWS::ECS::Service')).toMatchObject({
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
    });
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
  });

  it('are none while nothing waits, more the longer units have waited, and fewer after ten idle minutes', () => {
    expect(onlyResource(template, 'AWS::ApplicationAutoScaling::ScalableTarget')).toMatchObject({
      MinCapacity: 0,
      MaxCapacity: 20,
    });
    // A deployment would set it.
    expect(onlyResource(template, 'AWS::ECS::Service')).not.toHaveProperty('DesiredCount');
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      StepScalingPolicyConfiguration: {
        ...{ AdjustmentType: 'ChangeInCapacity', Cooldown: 180 },
        StepAdjustments: [
          { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 180, ScalingAdjustment: 3 },
          { MetricIntervalLowerBound: 180, MetricIntervalUpperBound: 480, ScalingAdjustment: 5 },
          { MetricIntervalLowerBound: 480, ScalingAdjustment: 10 },
        ],
      },
    });
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      StepScalingPolicyConfiguration: {
        ...{ AdjustmentType: 'PercentChangeInCapacity', MinAdjustmentMagnitude: 1, Cooldown: 300 },
        StepAdjustments: [{ MetricIntervalUpperBound: 0, ScalingAdjustment: -25 }],
      },
    });
    const waiting = Match.arrayWith([Match.objectLike({ Expression: 'IF(waiting > 0, age, 0)' })]);
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      ...{ Threshold: 120, EvaluationPeriods: 2, ComparisonOperator: 'GreaterThanOrEqualToThreshold' },
      ...{ Metrics: waiting, AlarmActions: [{ Ref: Match.stringLikeRegexp('^WorkersStart') }] },
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      ...{ Threshold: 0, EvaluationPeriods: 10, ComparisonOperator: 'LessThanOrEqualToThreshold' },
      ...{ Metrics: waiting, AlarmActions: [{ Ref: Match.stringLikeRegexp('^WorkersStop') }] },
      // Without it, the last containers would stay once SQS has no more metrics of the queue.
      TreatMissingData: 'breaching',
    });
  });

  it('are counted by the messages that wait, not by those that are worked on', () => {
    const [, alarm] = Object.entries(template.findResources('AWS::CloudWatch::Alarm')).find(([id]) =>
      id.startsWith('WorkersStartAlarm'),
    ) ?? ['', {}];
    const QueueName = [
      { Name: 'QueueName', Value: { 'Fn::GetAtt': [findQueues(template).queueId, 'QueueName'] } },
    ];
    const metricOf = (id: string, MetricName: string) => ({
      ...{ Id: id, ReturnData: false },
      MetricStat: {
        Metric: { Namespace: 'AWS/SQS', MetricName, Dimensions: QueueName },
        ...{ Period: 60, Stat: 'Maximum' },
      },
    });
    expect(alarm['Properties'].Metrics).toEqual(
      expect.arrayContaining([
        metricOf('waiting', 'ApproximateNumberOfMessagesVisible'),
        metricOf('age', 'ApproximateAgeOfOldestMessage'),
      ]),
    );
  });

  it('leave two workers on Lambda for what is little or urgent, unless the option says how many', () => {
    const workersOf = (options: object) =>
      onlyResource(synthesise(options), 'AWS::Lambda::EventSourceMapping')['ScalingConfig'];
    expect(workersOf({ fargateMaxTasks: 20 })).toEqual({ MaximumConcurrency: 2 });
    expect(workersOf({ fargateMaxTasks: 20, workerMaxConcurrency: 9 })).toEqual({ MaximumConcurrency: 9 });
  });
});
