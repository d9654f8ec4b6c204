import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { EdgepressOptions } from '../../../infra/options.ts';
import { readSettings } from '../../../infra/settings.ts';
import { EdgepressStack } from '../../../infra/stack.ts';
import { makeOutput } from './output.ts';

/**
 * The stack with these options, without the functions' code: CDK is told to bundle nothing, and not to check the template against
 * CloudFormation's schemas, which takes seconds and is done once, with the app.
 */
export function createStack(options: EdgepressOptions = {}, env: { region?: string } = {}): EdgepressStack {
  const app = new App({
    outdir: makeOutput(),
    builtinCloudFormationValidation: false,
    context: { 'aws:cdk:bundling-stacks': [] },
  });
  return new EdgepressStack(app, 'Test', readSettings(options, env), { env });
}

const templates = new Map<string, Template>();

/** The template of the stack with these options; made once, since it takes a while. */
export function synthesise(options: EdgepressOptions = {}, env: { region?: string } = {}): Template {
  const key = JSON.stringify([options, env]);
  const template = templates.get(key) ?? Template.fromStack(createStack(options, env));
  templates.set(key, template);
  return template;
}

/** Every option that adds something. */
export const EVERYTHING: EdgepressOptions = {
  sourceAllow: ['https://*.example.com/*', 's3://originals/a/*', 's3://more-originals/what?/$1/*'],
  imageReservedConcurrency: 200,
  workerReservedConcurrency: 101,
  variantDays: 90,
  domainNames: ['img.example.com', '*.img.example.com'],
  certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d',
  webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/edgepress/0a1b2c3d',
  originShieldRegion: 'eu-west-1',
  accessLogs: true,
  additionalMetrics: true,
  alarmTopicArn: 'arn:aws:sns:us-east-1:123456789012:on-call',
};
