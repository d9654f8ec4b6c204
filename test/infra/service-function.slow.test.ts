import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { findFunction, findQueues, onlyResource } from '../support/infra/resources.ts';
import { ALL_OPTIONS, synthesise } from '../support/infra/synthesise.ts';

const template = synthesise();
const withAllOptions = synthesise(ALL_OPTIONS);

describe('the image function and the worker', () => {
  const image = findFunction(template, 'lambda-image.handler');
  const worker = findFunction(template, 'lambda-worker.handler');

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

  it('have the same environment, except that only the worker has the distribution', () => {
    const { CDN, ...shared } = worker['Environment'].Variables;
    expect(shared).toEqual(image['Environment'].Variables);
    expect(CDN).toEqual({
      'Fn::Join': ['', ['cloudfront:', { Ref: expect.stringContaining('Distribution') }]],
    });
    expect(shared).toMatchObject({ UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2', CONCURRENCY: '1' });
  });

  it('have an environment without options that means the same as its defaults', () => {
    const { STORE, QUEUE, ...plain } = image['Environment'].Variables;
    expect(STORE).toEqual({ 'Fn::Join': ['', ['s3://', { Ref: expect.stringContaining('Bucket') }]] });
    expect(QUEUE).toEqual({ Ref: findQueues(template).queueId });
    expect(readConfig({ ...plain, CONCURRENCY: undefined })).toEqual(readConfig({}));
  });

  it('have a collector beside them if there is a layer with one, and may send traces to X-Ray then', () => {
    for (const handler of ['lambda-image.handler', 'lambda-worker.handler'] as const) {
      const fn = findFunction(withAllOptions, handler);
      expect(fn).toMatchObject({
        Layers: [ALL_OPTIONS.collectorLayerArn],
        TracingConfig: { Mode: 'Active' },
        Environment: {
          Variables: {
            OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
            EMF_NAMESPACE: 'edgepress/test',
          },
        },
      });
      expect(findFunction(template, handler)).not.toHaveProperty('TracingConfig');
    }
    const policies = JSON.stringify(withAllOptions.findResources('AWS::IAM::Policy'));
    expect(policies.match(/xray:PutTraceSegments/g)).toHaveLength(2);
  });

  it('have an environment that follows the options', () => {
    const { Environment } = findFunction(
      synthesise({
        widths: [320, 640],
        prewarmWidths: '600',
        cacheControl: 'public, max-age=60',
        logLevel: 'warn',
      }),
      'lambda-image.handler',
    );
    expect(Environment.Variables).toMatchObject({
      WIDTHS: '320,640',
      PREWARM_WIDTHS: '640',
      CACHE_CONTROL: 'public, max-age=60',
      LOG_LEVEL: 'warn',
    });
    expect(findFunction(withAllOptions, 'lambda-worker.handler')['Environment'].Variables).toMatchObject({
      SOURCE_ALLOW: 'https://*.example.com/*,s3://originals/a/*,s3://more-originals/what?/$1/*',
    });
  });

  it('write to log groups of their own, which expire', () => {
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    const logs = [image, worker].map(({ LoggingConfig }) => LoggingConfig.LogGroup.Ref);
    expect(new Set(logs)).toEqual(new Set(Object.keys(template.findResources('AWS::Logs::LogGroup'))));
    synthesise({ logRetentionDays: 365 }).allResourcesProperties('AWS::Logs::LogGroup', {
      RetentionInDays: 365,
    });
  });

  it('have reserved concurrency only when the options say so', () => {
    expect(image).not.toHaveProperty('ReservedConcurrentExecutions');
    expect(worker).not.toHaveProperty('ReservedConcurrentExecutions');
    expect(findFunction(withAllOptions, 'lambda-image.handler')).toMatchObject({
      ReservedConcurrentExecutions: 200,
    });
    expect(findFunction(withAllOptions, 'lambda-worker.handler')).toMatchObject({
      ReservedConcurrentExecutions: 101,
    });
  });
});

describe('a new version of the image function', () => {
  it('gets a tenth of the requests for five minutes, and is taken back if it crashes', () => {
    const [application] = Object.keys(template.findResources('AWS::CodeDeploy::Application'));
    const [group] = Object.keys(template.findResources('AWS::CodeDeploy::DeploymentGroup'));
    const [alias] = Object.values(template.findResources('AWS::Lambda::Alias'));
    expect(alias).toMatchObject({
      Properties: { Name: 'live', FunctionName: { Ref: findFunction(template, 'lambda-image.handler').id } },
      UpdatePolicy: {
        CodeDeployLambdaAliasUpdate: {
          ApplicationName: { Ref: application },
          DeploymentGroupName: { Ref: group },
        },
      },
    });
    const alarm = { Ref: expect.stringMatching(/^ImageDeploymentAlarm/) };
    expect(onlyResource(template, 'AWS::CodeDeploy::DeploymentGroup')).toMatchObject({
      AlarmConfiguration: { Alarms: [{ Name: alarm }], Enabled: true },
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST', 'DEPLOYMENT_STOP_ON_ALARM'],
      },
      DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes',
    });
    const policies = Object.keys(template.findResources('AWS::IAM::Policy'));
    const [{ DependsOn } = {}] = Object.values(template.findResources('AWS::CodeDeploy::DeploymentGroup'));
    expect(DependsOn).toContain(policies.find((id) => id.startsWith('ImageDeploymentRole')));
  });

  it('is not judged by the crashes of the version that it repairs', () => {
    const version = { 'Fn::GetAtt': [Match.stringLikeRegexp('^ImageFunctionCurrentVersion'), 'Version'] };
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      // Another name for each version is another alarm: one that is changed would still be on.
      AlarmName: { 'Fn::Join': ['', ['Test-image-deployment-', version]] },
      ...{ MetricName: 'Errors', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 2 },
      ...{ ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'notBreaching' },
      Dimensions: [
        { Name: 'ExecutedVersion', Value: version },
        { Name: 'FunctionName' },
        { Name: 'Resource', Value: { 'Fn::Join': ['', [Match.anyValue(), ':live']] } },
      ].map((dimension) => Match.objectLike(dimension)),
    });
  });

  it('gets all at once with imageCanary=false', () => {
    const atOnce = synthesise({ imageCanary: false });
    atOnce.resourceCountIs('AWS::CodeDeploy::DeploymentGroup', 0);
    expect(Object.values(atOnce.findResources('AWS::Lambda::Alias'))[0]).not.toHaveProperty('UpdatePolicy');
    atOnce.hasResourceProperties('AWS::Lambda::Url', { Qualifier: 'live' });
  });
});
