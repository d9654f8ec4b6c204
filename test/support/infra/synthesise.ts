import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll } from 'vitest';
import type { EdgepressOptions } from '../../../infra/options.ts';
import { CDN_REGION } from '../../../infra/regions.ts';
import { OptionsError, readSettings } from '../../../infra/settings.ts';
import { EdgepressStack } from '../../../infra/stack.ts';
import { ViewerAlarmsStack } from '../../../infra/viewer-alarms.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Creates a folder for the templates of an app; it is removed after the tests of the file. */
export function createOutputFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgepress-cdk-'));
  folders.push(folder);
  return folder;
}

/**
 * Creates the stack with these options, without the functions' code: CDK is told to skip bundling, and not to check the template
 * against CloudFormation's schemas, which takes seconds and is done once, in app.slow.test.ts and by lintTemplate.
 */
export function createStack(options: EdgepressOptions = {}, env: { region?: string } = {}): EdgepressStack {
  return new EdgepressStack(createApp(), 'Test', readSettings(options, env), { env });
}

function createApp(): App {
  return new App({
    outdir: createOutputFolder(),
    builtinCloudFormationValidation: false,
    context: { 'aws:cdk:bundling-stacks': [] },
  });
}

/** Returns the template of the stack with the alarms on what viewers get. */
export function synthesiseViewerAlarms(options: EdgepressOptions): Template {
  const env = { region: CDN_REGION };
  return Template.fromStack(new ViewerAlarmsStack(createApp(), 'Viewers', readSettings(options), { env }));
}

const templates = new Map<string, Template>();

/** Returns the template of the stack with these options. It is kept, because synthesis takes a while. */
export function synthesise(options: EdgepressOptions = {}, env: { region?: string } = {}): Template {
  const key = JSON.stringify([options, env]);
  const template = templates.get(key) ?? Template.fromStack(createStack(options, env));
  templates.set(key, template);
  return template;
}

/** Every option that adds something to the stack. */
export const ALL_OPTIONS: EdgepressOptions = {
  sourceAllow: ['https://*.example.com/*', 's3://originals/a/*', 's3://more-originals/what?/$1/*'],
  sourceHeaders: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:source-headers-0a1b2c',
  sourceIgnoredParameters: '{"*.amazonaws.com": ["X-Amz-*"]}',
  ingestFrom: ['s3://deliveries/units/', 's3://more-deliveries/'],
  sourceUserAgent: 'edgepress (+https://example.com/images)',
  fargateMaxTasks: 20,
  imageReservedConcurrency: 200,
  workerReservedConcurrency: 101,
  variantDays: 90,
  domainNames: ['img.example.com', '*.img.example.com'],
  certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d',
  webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/edgepress/0a1b2c3d',
  originShieldRegion: 'eu-west-1',
  accessLogs: true,
  additionalMetrics: true,
  emfNamespace: 'edgepress/test',
  otlpEndpoint: 'http://127.0.0.1:4318',
  collectorLayerArn: 'arn:aws:lambda:us-east-1:123456789012:layer:collector-arm64:7',
  alarmTopicArn: 'arn:aws:sns:us-east-1:123456789012:on-call',
};

/** Returns what is wrong with these options, a line each; none for valid ones. */
export function faultsOf(options: object, region?: string): readonly string[] {
  try {
    readSettings(options, { region });
  } catch (error) {
    if (error instanceof OptionsError) return error.faults;
    throw error;
  }
  return [];
}
