import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALL_OPTIONS, createOutputFolder, synthesise } from '../support/infra/synthesise.ts';

const { app: APP, context: cdkJson } = JSON.parse(readFileSync('cdk.json', 'utf8'));

/** Runs the app as the CDK command does. */
function runApp(context: Record<string, unknown>, env: Record<string, string> = {}, app: string = APP) {
  const folder = createOutputFolder();
  const CDK_CONTEXT_JSON = JSON.stringify({ ...cdkJson, 'aws:cdk:bundling-stacks': [], ...context });
  const { status, stderr } = spawnSync(app, {
    shell: true,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], CDK_OUTDIR: folder, CDK_CONTEXT_JSON, ...env },
  });
  return { status, stderr, read: (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) };
}

describe('the CDK app', () => {
  it("creates a stack with every option that is valid by CloudFormation's schemas", () => {
    const strict = { '@aws-cdk/core:strictCfnValidateErrors': true };
    const { status, stderr } = runApp({ edgepress: ALL_OPTIONS, ...strict });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('creates one stack, with the name and options of the context, for the account and region of the CDK command', () => {
    const edgepress = { stackName: 'Pictures', sourceAllow: 'https://*.example.com/*' };
    const context = { edgepress, 'edgepress.widths': '317,641' };
    const env = {
      CDK_DEFAULT_ACCOUNT: '123456789012',
      CDK_DEFAULT_REGION: 'us-east-1',
      CDK_VALIDATION: 'false',
    };
    const { status, stderr, read } = runApp(context, env);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(read('manifest.json').artifacts.Pictures.environment).toBe('aws://123456789012/us-east-1');
    expect(JSON.stringify(read('Pictures.template.json'))).toContain('317,641');
  });

  it('prints warnings and still creates the stack', () => {
    const { status, stderr } = runApp({}, { CDK_VALIDATION: 'false' });
    expect(stderr).toMatch(
      /WARNING sourceAllow is not set: anybody with a signed URL can have any public address fetched/,
    );
    expect(status).toBe(0);
  });

  it('fails with every fault of the context and without a stack trace', () => {
    const context = {
      'edgepress.widths': 'wide',
      'edgepress.colour': 'blue',
      'edgepres.maxPixels': '9',
      'edgepress.alarmTopicArn': ALL_OPTIONS.alarmTopicArn,
    };
    const { status, stderr } = runApp(context, { CDK_DEFAULT_REGION: 'eu-west-1' });
    expect(status).toBe(1);
    expect(stderr.split('\n').filter((line) => line.startsWith('  '))).toEqual([
      '  edgepres.maxPixels: an option is written edgepress.NAME, with exactly these letters: did you mean edgepress.maxPixels?',
      '  widths: must be widths in pixels from 1 to 16383, separated by commas',
      '  colour: there is no such option. All are in docs/configuration.md',
      '  alarmTopicArn: the topic is in us-east-1, but the stack and its alarms are in eu-west-1, and an alarm only notifies topics of its own region',
    ]);
    expect(stderr).not.toContain('    at ');
  });
});

describe('the CDK app of the alarms on what viewers get', () => {
  const { Value } = synthesise({}, { region: 'eu-west-1' }).toJSON()['Outputs'].RunbookViewerAlarms;
  const command = JSON.stringify(Value);
  const [, app = ''] = /--app \\"([^"\\]+)\\"/.exec(command) ?? [];

  it('is run by the command of the runbook with the options of the stack, and named after it', () => {
    expect(command).toContain(' -c edgepress.stackName=Test ');
    const edgepress = { ...ALL_OPTIONS, originShieldRegion: 'nearest', stackName: 'Pictures' };
    const context = { edgepress, 'edgepress.stackName': 'Test' };
    const { status, stderr, read } = runApp(context, { CDK_VALIDATION: 'false' }, app);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const stack = read('manifest.json').artifacts['Test-viewer-alarms'];
    expect(stack.environment).toBe('aws://unknown-account/us-east-1');
  });
});
