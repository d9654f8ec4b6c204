import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { findFunction, findQueues } from '../support/infra/resources.ts';
import { synthesise } from '../support/infra/synthesise.ts';

const template = synthesise();

describe('the queue', () => {
  it('moves a message that failed five times to dead letters, which SQS keeps as long as it can', () => {
    const { queue, deadLettersId, deadLetters } = findQueues(template);
    expect(queue).toMatchObject({
      VisibilityTimeout: 6 * 900,
      MessageRetentionPeriod: 7 * 86_400,
      RedrivePolicy: { maxReceiveCount: 5, deadLetterTargetArn: { 'Fn::GetAtt': [deadLettersId, 'Arn'] } },
    });
    expect(deadLetters).toMatchObject({ MessageRetentionPeriod: 14 * 86_400 });
  });

  it('is encrypted and answers over TLS only, and so are the dead letters', () => {
    template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    const { queueId, deadLettersId } = findQueues(template);
    for (const id of [queueId, deadLettersId]) {
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

  it('invokes a limited number of workers, which report the messages that failed', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 2,
      MaximumBatchingWindowInSeconds: 0,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 100 },
      EventSourceArn: { 'Fn::GetAtt': [findQueues(template).queueId, 'Arn'] },
      FunctionName: { Ref: findFunction(template, 'lambda-worker.handler').id },
    });
  });

  it('has the batches and the concurrency of the options', () => {
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
  });

  it('has a visibility timeout that is longer by the time that a batch waits to fill up', () => {
    const batching = synthesise({
      workerBatchSize: 20,
      workerBatchWindowSeconds: 5,
      workerMaxConcurrency: 400,
    });
    expect(findQueues(batching).queue).toMatchObject({ VisibilityTimeout: 5405 });
  });
});

describe('the functions', () => {
  it('may send to the queue that invokes them, which Lambda would take for a loop, only where they do', () => {
    expect(findFunction(template, 'lambda-worker.handler')).toMatchObject({ RecursiveLoop: 'Allow' });
    expect(findFunction(template, 'lambda-image.handler')).not.toHaveProperty('RecursiveLoop');
  });
});

describe('ingestFrom', () => {
  const ingesting = synthesise({ ingestFrom: ['s3://deliveries/units/', 's3://more-deliveries/'] });
  const { queueId } = findQueues(ingesting);
  const created = { source: ['aws.s3'], 'detail-type': ['Object Created'] };

  it('sends the events of new objects below each prefix to the queue', () => {
    const Targets = [Match.objectLike({ Arn: { 'Fn::GetAtt': [queueId, 'Arn'] } })];
    const of = (detail: object) => ({ EventPattern: { ...created, detail }, State: 'ENABLED', Targets });
    const first = of({ bucket: { name: ['deliveries'] }, object: { key: [{ prefix: 'units/' }] } });
    ingesting.hasResourceProperties('AWS::Events::Rule', first);
    ingesting.hasResourceProperties('AWS::Events::Rule', of({ bucket: { name: ['more-deliveries'] } }));
    template.resourcePropertiesCountIs('AWS::Events::Rule', { EventPattern: Match.objectLike(created) }, 0);
  });

  it('lets these rules alone send to the queue', () => {
    const rules = Object.keys(
      ingesting.findResources('AWS::Events::Rule', {
        Properties: { EventPattern: Match.objectLike(created) },
      }),
    );
    expect(rules).toHaveLength(2);
    for (const rule of rules) {
      ingesting.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: queueId }],
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({
              Effect: 'Allow',
              Principal: { Service: 'events.amazonaws.com' },
              Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [rule, 'Arn'] } } },
            }),
          ]),
        },
      });
    }
  });

  it('is what the worker reads from', () => {
    const { Environment } = findFunction(ingesting, 'lambda-worker.handler');
    const INGEST_FROM = 's3://deliveries/units/,s3://more-deliveries/';
    expect(Environment.Variables).toMatchObject({ INGEST_FROM });
  });
});

describe('the sweep', () => {
  const { id } = findFunction(template, 'lambda-worker.handler');

  it('runs every ten minutes', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(10 minutes)',
      State: 'ENABLED',
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [id, 'Arn'] } })],
    });
  });

  it('is not retried when it fails', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: id },
      MaximumRetryAttempts: 0,
    });
  });
});
