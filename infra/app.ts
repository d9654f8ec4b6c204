import { App } from 'aws-cdk-lib';
import { optionsInContext } from './context.ts';
import { OptionsError, readSettings } from './settings.ts';
import { EdgepressStack } from './stack.ts';

const app = new App();
try {
  // What the CDK command knows of who deploys; without it the stack fits any account and region.
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  const { options, faults } = optionsInContext(app.node.getAllContext());
  const settings = readSettings(options, { region, faults });
  const env = { ...(account !== undefined && { account }), ...(region !== undefined && { region }) };
  new EdgepressStack(app, settings.stackName, settings, { env });
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
