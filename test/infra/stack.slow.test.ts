import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { withoutHash } from '../support/infra/resources.ts';
import { synthesise } from '../support/infra/synthesise.ts';

/** Replaces what CloudFormation fills in. */
function resolveValue(value: { 'Fn::Join': [string, unknown[]] }, lookUp: (name: string) => string) {
  const [, parts] = value['Fn::Join'];
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const { Ref: ref, 'Fn::GetAtt': attribute } = part as { Ref?: string; 'Fn::GetAtt'?: string[] };
      return lookUp(
        attribute === undefined ? withoutHash(String(ref)) : attribute.map(withoutHash).join('.'),
      );
    })
    .join('');
}

describe('the outputs of the stack', () => {
  const outputs = synthesise({ sourceAllow: 's3://originals/*' }).toJSON()['Outputs'];

  it('are those that the commands look for', () => {
    expect(Object.keys(outputs).toSorted()).toEqual([
      'BucketName',
      'DashboardUrl',
      'DeadLetterQueueUrl',
      'DistributionId',
      'Environment',
      'ImageLogGroup',
      'KeyPolicyArn',
      'KeyValueStoreArn',
      'OperatorPolicyArn',
      'QueueUrl',
      'RunbookEnvironment',
      'RunbookImageErrors',
      'RunbookRedrive',
      'RunbookRedriveStatus',
      'RunbookRequest',
      'RunbookViewerAlarms',
      'RunbookWorkerErrors',
      'SignerPolicyArn',
      'SigningKeysSecretArn',
      'Url',
      'WorkerLogGroup',
    ]);
  });

  it('name both log groups', () => {
    expect(outputs.ImageLogGroup.Value).toEqual({ Ref: expect.stringMatching(/^ImageFunctionLogs/) });
    expect(outputs.WorkerLogGroup.Value).toEqual({ Ref: expect.stringMatching(/^WorkerLogs/) });
  });

  it('are the commands of the runbook, with the names of the stack in them', () => {
    const commandOf = (output: string) =>
      resolveValue(outputs[output].Value, (name) => (name === 'AWS::Region' ? 'eu-west-1' : `{${name}}`));
    expect(commandOf('RunbookRedrive')).toBe(
      'aws sqs start-message-move-task --region eu-west-1 --source-arn {DeadLetters.Arn}',
    );
    expect(commandOf('RunbookWorkerErrors')).toMatch(
      /^aws logs tail {WorkerLogs} --region eu-west-1 --since 1h --format short --filter-pattern '%[^'%]+%'$/,
    );
    expect(commandOf('RunbookEnvironment')).toBe(
      'export AWS_REGION=eu-west-1; eval "$(npm run -s env -- Test)"',
    );
    expect(commandOf('RunbookViewerAlarms')).toMatch(
      /^AWS_REGION=us-east-1 npm run cdk -- --app .* deploy -c edgepress\.stackName=Test --parameters DistributionId=\{Distribution\}$/,
    );
    expect(synthesise({}, { region: 'us-east-1' }).toJSON()['Outputs']).not.toHaveProperty(
      'RunbookViewerAlarms',
    );
  });

  it('find errors in the logs, and crashes, which Lambda does not tell in JSON', () => {
    const { Value } = outputs.RunbookImageErrors;
    const [, expression = ''] = /'%(.+)%'/.exec(resolveValue(Value, () => '')) ?? [];
    // All that CloudWatch Logs knows.
    expect(expression).toMatch(/^[\w#=@/;,\-^$?[\]{}|\\*+.]+$/);
    const isFound = (line: string) => new RegExp(expression).test(line);
    const told = [
      '{"level":50,"time":1764364800000,"msg":"the store failed"}',
      '{"level":60,"time":1764364800000,"msg":"no bucket"}',
      '2026-11-28T21:00:00.000Z 8f5c Task timed out after 45.00 seconds',
      'RequestId: 8f5c Error: Runtime exited with error: signal: killed',
      'REPORT RequestId: 8f5c Status: error Error Type: Runtime.OutOfMemory',
      '2026-11-28T21:00:00.000Z undefined ERROR Uncaught Exception {"errorType":"TypeError"}',
    ];
    expect(told.filter((line) => !isFound(line))).toEqual([]);
    const usual = [
      '{"level":30,"time":1764364805000,"outcome":"miss","totalMs":500}',
      '{"level":40,"time":1764364800000,"code":"source_timeout","detail":"the source timed out"}',
      'INIT_START Runtime Version: nodejs:24.v9 Runtime Version ARN: arn:aws:lambda:eu-west-1::runtime:0a1b',
      'REPORT RequestId: 8f5c Duration: 502.60 ms Billed Duration: 503 ms Memory Size: 1769 MB',
    ];
    expect(usual.filter(isFound)).toEqual([]);
  });

  it('link the dashboard in the console', () => {
    const url = resolveValue(outputs.DashboardUrl.Value, (name) =>
      name === 'AWS::Region' ? 'eu-west-1' : name,
    );
    expect(url).toBe(
      'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/Dashboard',
    );
  });

  it('contain the environment of the commands, without any secret', () => {
    const values: Record<string, string> = {
      'AWS::Region': 'eu-west-1',
      Bucket: 'the-bucket',
      Queue: 'https://sqs.eu-west-1.amazonaws.com/1/queue',
      Distribution: 'E123',
      'Distribution.DomainName': 'd111.cloudfront.net',
    };
    const environment = JSON.parse(resolveValue(outputs.Environment.Value, (name) => values[name] ?? name));
    expect(readConfig(environment)).toMatchObject({
      publicUrl: 'https://d111.cloudfront.net',
      store: { kind: 's3', bucket: 'the-bucket' },
      queue: { kind: 'sqs', url: 'https://sqs.eu-west-1.amazonaws.com/1/queue' },
      cdn: [{ kind: 'cloudfront', distribution: 'E123' }],
      sourceAllow: [{ scheme: 's3:' }],
    });
    expect(environment).toMatchObject({ AWS_REGION: 'eu-west-1', WIDTHS: '160,320,480,720,1080,1600,2048' });
    expect(Object.keys(environment).join()).not.toMatch(/KEY|TOKEN|SECRET/);
  });

  it('have the first of the domain names as the base URL of images', () => {
    const options = {
      domainNames: 'img.example.com,pictures.example.com',
      certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d',
    };
    expect(synthesise(options).toJSON()['Outputs'].Url.Value).toBe('https://img.example.com');
  });
});
