import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { EVERYTHING, synthesise } from '../support/infra/synthesise.ts';

const template = synthesise();
const full = synthesise(EVERYTHING);

function functionOf(handler: string, from: Template = template) {
  const [fn] = Object.entries(
    from.findResources('AWS::Lambda::Function', { Properties: { Handler: handler } }),
  );
  return { id: fn?.[0], ...fn?.[1]?.['Properties'] };
}

function queuesOf(from: Template) {
  const queues = Object.entries(from.findResources('AWS::SQS::Queue'));
  const work = queues.find(([, { Properties }]) => Properties.RedrivePolicy !== undefined);
  const dead = queues.find(([, { Properties }]) => Properties.RedrivePolicy === undefined);
  return {
    queueId: work?.[0],
    queue: work?.[1]?.['Properties'],
    deadId: dead?.[0],
    dead: dead?.[1]?.['Properties'],
  };
}

describe('both functions', () => {
  const image = functionOf('lambda-image.handler');
  const worker = functionOf('lambda-worker.handler');

  it('run the same code on arm64 and the newest Node', () => {
    expect(image).toMatchObject({
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      MemorySize: 1769,
      Timeout: 45,
    });
    expect(worker).toMatchObject({
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      MemorySize: 1769,
      Timeout: 900,
    });
    expect(worker['Code']).toEqual(image['Code']);
  });

  it('are told the same, but that the worker alone knows the distribution', () => {
    const { CDN, ...told } = worker['Environment'].Variables;
    expect(told).toEqual(image['Environment'].Variables);
    expect(CDN).toEqual({
      'Fn::Join': ['', ['cloudfront:', { Ref: expect.stringContaining('Distribution') }]],
    });
    expect(told).toMatchObject({ UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2', CONCURRENCY: '1' });
  });

  it('are told what they would do untold, and nothing that they do not understand', () => {
    const { STORE, QUEUE, ...plain } = image['Environment'].Variables;
    expect(STORE).toEqual({ 'Fn::Join': ['', ['s3://', { Ref: expect.stringContaining('Bucket') }]] });
    expect(QUEUE).toEqual({ Ref: queuesOf(template).queueId });
    expect(readConfig({ ...plain, CONCURRENCY: undefined })).toEqual(readConfig({}));
  });

  it('are told what the options say', () => {
    const options = {
      widths: [320, 640],
      prewarmWidths: '600',
      cacheControl: 'public, max-age=60',
      logLevel: 'warn',
    };
    const { Environment } = functionOf('lambda-image.handler', synthesise(options));
    expect(Environment.Variables).toMatchObject({
      WIDTHS: '320,640',
      PREWARM_WIDTHS: '640',
      CACHE_CONTROL: 'public, max-age=60',
      LOG_LEVEL: 'warn',
    });
    expect(functionOf('lambda-worker.handler', full)['Environment'].Variables).toMatchObject({
      SOURCE_ALLOW: 'https://*.example.com/*,s3://originals/a/*,s3://more-originals/what?/$1/*',
    });
  });

  it('write to logs of their own, which end', () => {
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    const logs = [image, worker].map(({ LoggingConfig }) => LoggingConfig.LogGroup.Ref);
    expect(new Set(logs)).toEqual(new Set(Object.keys(template.findResources('AWS::Logs::LogGroup'))));
    synthesise({ logRetentionDays: 365 }).allResourcesProperties('AWS::Logs::LogGroup', {
      RetentionInDays: 365,
    });
  });

  it('have instances kept for them only when told to', () => {
    expect(image).not.toHaveProperty('ReservedConcurrentExecutions');
    expect(worker).not.toHaveProperty('ReservedConcurrentExecutions');
    expect(functionOf('lambda-image.handler', full)).toMatchObject({ ReservedConcurrentExecutions: 200 });
    expect(functionOf('lambda-worker.handler', full)).toMatchObject({ ReservedConcurrentExecutions: 101 });
  });
});

describe('the queue', () => {
  it('keeps what failed five times for as long as SQS can', () => {
    const { queue, deadId, dead } = queuesOf(template);
    expect(queue).toMatchObject({
      VisibilityTimeout: 6 * 900,
      MessageRetentionPeriod: 7 * 86_400,
      RedrivePolicy: { maxReceiveCount: 5, deadLetterTargetArn: { 'Fn::GetAtt': [deadId, 'Arn'] } },
    });
    expect(dead).toMatchObject({ MessageRetentionPeriod: 14 * 86_400 });
  });

  it('is encrypted and answers over TLS alone, as the dead letters do', () => {
    template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    const { queueId, deadId } = queuesOf(template);
    for (const id of [queueId, deadId]) {
      template.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: id }],
        PolicyDocument: {
          Statement: [
            Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ],
        },
      });
    }
  });

  it('keeps no more workers busy than leaves viewers their share, and hears which messages failed', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 2,
      MaximumBatchingWindowInSeconds: 0,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 100 },
      EventSourceArn: { 'Fn::GetAtt': [queuesOf(template).queueId, 'Arn'] },
      FunctionName: { Ref: functionOf('lambda-worker.handler').id },
    });
  });

  it('waits for batches as long as it is told, and hides messages for that much longer', () => {
    const batching = synthesise({
      workerBatchSize: 20,
      workerBatchWindowSeconds: 5,
      workerMaxConcurrency: 400,
    });
    batching.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 20,
      MaximumBatchingWindowInSeconds: 5,
      ScalingConfig: { MaximumConcurrency: 400 },
    });
    expect(queuesOf(batching).queue).toMatchObject({ VisibilityTimeout: 5405 });
  });
});

describe('the sweep', () => {
  it('comes every ten minutes, and is not tried again', () => {
    const { id } = functionOf('lambda-worker.handler');
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(10 minutes)',
      State: 'ENABLED',
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [id, 'Arn'] } })],
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: id },
      MaximumRetryAttempts: 0,
    });
  });
});
